import { describe, expect, it } from 'vitest';
import { compare } from './compare.js';
import type { UnionTree } from './comparison-result.js';
import { describedFleet } from './testing/described-fleet.js';
import type { SideDescription } from './testing/described-fleet.js';
import { largeComparison } from './testing/large-comparison.js';
import { unionTreeToText } from './testing/union-tree-to-text.js';

const quiet = { processes: 3, windows: 3, traffic: { 'GET /': 100 } };

function treeOf(before: SideDescription['cost'], after: SideDescription['cost'], maxTreeNodes = 100): UnionTree {
  const input = describedFleet({
    cv: 0,
    sampleValue: 1,
    baseline: { ...quiet, cost: before },
    candidate: { ...quiet, cost: after },
  });
  return compare({ ...input, options: { maxTreeNodes } }).tree;
}

/** Every total is the node's self value and its children's totals. */
function expectConserved(tree: UnionTree): void {
  for (const side of ['baseline', 'candidate'] as const) {
    const sums = tree[`${side}Self`].slice();
    for (let row = tree.depth.length - 1; row > 0; row -= 1) {
      let parent = row - 1;
      while (tree.depth[parent]! >= tree.depth[row]!) parent -= 1;
      sums[parent]! += sums[row]!;
    }
    sums.forEach((sum, row) => expect(sum).toBeCloseTo(tree[`${side}Total`][row]!, 8));
  }
}

describe('unionTree', () => {
  it('shows what either side calls, largest first, per unit of work', () => {
    const tree = treeOf(
      { 'main > read': { 'GET /': 2 }, 'main > old': { 'GET /': 1 } },
      { 'main > read': { 'GET /': 2 }, 'main > parse': { 'GET /': 5 }, main: { 'GET /': 0.5 } },
    );
    expect(unionTreeToText(tree)).toBe(
      ['total 3→7.5', '  main 3→7.5', '    parse 0→5', '    read 2→2', '    old 1→0'].join('\n'),
    );
    expectConserved(tree);
  });

  it('folds the smallest nodes into one child of their parent, and says how much that is', () => {
    const cost = Object.fromEntries(Array.from({ length: 20 }, (_, row) => [`main > f${row}`, { 'GET /': 1 + row }]));
    const whole = treeOf(cost, cost, 22);
    expect(whole.truncatedNodes).toBe(0);
    expect(whole.depth).toHaveLength(22);
    const folded = treeOf(cost, cost, 21);
    expect(folded.depth).toHaveLength(21);
    expect(folded.truncatedNodes).toBe(2); // two made room for the row that stands for them
    expect(folded.truncatedValue).toBe(2 * (1 + 2));
    expect(folded.functionRow.at(-1)).toBe(-2);
    expectConserved(folded);
  });

  it('keeps samples without frames in the root', () => {
    const tree = treeOf({ '': { 'GET /': 3 }, main: { 'GET /': 1 } }, { main: { 'GET /': 1 } });
    expect(unionTreeToText(tree)).toBe('total 4→1\n  main 1→1');
    expectConserved(tree);
  });

  it('is conserved at any limit on a large tree', () => {
    const input = largeComparison({
      seed: 4,
      functions: 200,
      stacks: 1500,
      transactions: 2,
      processes: 3,
      windowsPerProcess: 4,
      samplesPerWindow: 300,
    });
    for (const maxTreeNodes of [2, 50, 700, 5000]) {
      const { tree, strip } = compare({ ...input, options: { maxTreeNodes } });
      expect(tree.depth.length).toBeLessThanOrEqual(maxTreeNodes);
      expectConserved(tree);
      expect(tree.baselineTotal[0]).toBeCloseTo(strip[0]!.change.baseline, 6);
    }
  });
});
