import type { CallTree } from '../call-tree.js';
import { ROOT_FUNCTION } from '../call-tree.js';
import type { FunctionTable } from '../function-table.js';

/**
 * One line a node, indented by depth: name, total, and self in parentheses where it is not 0.
 *
 *     total 15
 *       main 15 (5)
 *         read 10 (10)
 */
export function callTreeToText(tree: CallTree, functions: FunctionTable): string {
  const lines: string[] = [];
  for (let row = 0; row < tree.length; row += 1) {
    const functionRow = tree.functionRow[row]!;
    const name = functionRow >= 0 ? functions.name[functionRow] : functionRow === ROOT_FUNCTION ? 'total' : 'truncated';
    const self = tree.self[row] === 0 ? '' : ` (${tree.self[row]})`;
    lines.push(`${'  '.repeat(tree.depth[row]!)}${name} ${tree.total[row]}${self}`);
  }
  return lines.join('\n');
}
