import { callTree } from './call-tree.js';
import type { StackTable } from './stack-table.js';

/** Length of both columns: the number of functions. */
export interface FunctionTotals {
  /** Value of the samples that end in the function. */
  readonly self: Float64Array;
  /** Value of the samples that contain it, each counted once however often the function recurs in its stack. */
  readonly total: Float64Array;
}

/** @param selfByStack - Value of the samples that end in each stack. */
export function functionTotals(stacks: StackTable, selfByStack: Float64Array, functionCount: number): FunctionTotals {
  const self = new Float64Array(functionCount);
  const total = new Float64Array(functionCount);
  const tree = callTree(stacks, selfByStack);
  const path: number[] = []; // functions of the open nodes, by depth - 1
  const timesOnPath = new Uint32Array(functionCount);
  for (let row = 1; row < tree.length; row += 1) {
    while (path.length >= tree.depth[row]!) timesOnPath[path.pop()!]! -= 1;
    const functionRow = tree.functionRow[row]!;
    self[functionRow]! += tree.self[row]!;
    if (timesOnPath[functionRow] === 0) total[functionRow]! += tree.total[row]!;
    timesOnPath[functionRow]! += 1;
    path.push(functionRow);
  }
  return { self, total };
}
