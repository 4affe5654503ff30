import type { UnionTree } from '../comparison-result.js';

/** One line per node, indented by depth: `name baseline→candidate`, totals. */
export function unionTreeToText(tree: UnionTree): string {
  return tree.depth
    .map((depth, row) => {
      const functionRow = tree.functionRow[row]!;
      const name = functionRow === -1 ? 'total' : functionRow === -2 ? '…' : tree.functions[functionRow]!.name;
      return `${'  '.repeat(depth)}${name} ${round(tree.baselineTotal[row]!)}→${round(tree.candidateTotal[row]!)}`;
    })
    .join('\n');
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
