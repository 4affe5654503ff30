import type { CallTree, FunctionTable } from '@hearth/profile-model';
import { TRUNCATED } from '@hearth/profile-model';
import type { FlameGraphAnswer } from '@hearth/query-contract';
import { wireNumber } from './wire-number.js';

/** What the root and folded-away nodes are called; neither is a function. */
export const ROOT_NAME = 'total';
export const TRUNCATED_NAME = '(truncated)';

type FlameGraphColumns = Pick<FlameGraphAnswer, 'depth' | 'name' | 'self' | 'total' | 'names' | 'packages' | 'files'>;

/**
 * The columns of a flame graph, naming only the functions that occur, in order of their first node.
 *
 * @param tree - Row 0 is the root; `TRUNCATED` rows stand for what a limit has folded away.
 */
export function flameGraphColumns(functions: FunctionTable, tree: CallTree): FlameGraphColumns {
  const rowOfFunction = new Map<number, number>();
  const names: string[] = [];
  const packages: string[] = [];
  const files: string[] = [];
  const name = Array.from(tree.functionRow.subarray(0, tree.length), (functionRow) => {
    let row = rowOfFunction.get(functionRow);
    if (row === undefined) {
      row = names.push(functionName(functions, functionRow)) - 1;
      packages.push(functions.package[functionRow] ?? '');
      files.push(functions.file[functionRow] ?? '');
      rowOfFunction.set(functionRow, row);
    }
    return row;
  });
  return {
    depth: Array.from(tree.depth.subarray(0, tree.length)),
    name,
    self: Array.from(tree.self.subarray(0, tree.length), wireNumber),
    total: Array.from(tree.total.subarray(0, tree.length), wireNumber),
    names,
    packages,
    files,
  };
}

function functionName(functions: FunctionTable, functionRow: number): string {
  if (functionRow === TRUNCATED) return TRUNCATED_NAME;
  return functionRow < 0 ? ROOT_NAME : (functions.name[functionRow] ?? '');
}
