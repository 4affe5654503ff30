import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRUNCATED, callTree } from './call-tree.js';
import { functionTotals } from './function-totals.js';
import { invertedCallTree } from './inverted-call-tree.js';
import { limitCallTree } from './limit-call-tree.js';
import { selfByStack, selfWithoutStack } from './self-by-stack.js';
import type { StackTable } from './stack-table.js';
import { callTreeToText } from './testing/call-tree-to-text.js';
import { profileFromText } from './testing/profile-from-text.js';
import { randomProfile } from './testing/random-profile.js';

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
/** One chain, `depth` frames deep, that calls functions 0, 1, 0, 1, … and ends in a sample at every level. */
function chain(depth: number): StackTable {
  return {
    length: depth,
    parent: Int32Array.from({ length: depth }, (_, row) => row - 1),
    functionRow: Uint32Array.from({ length: depth }, (_, row) => row % 2),
  };
}
function drawing(text: string, tree: 'down' | 'up' = 'down'): string {
  const profile = profileFromText(text);
  const self = selfByStack(profile);
  const rootSelf = selfWithoutStack(profile);
  return callTreeToText(
    tree === 'down' ? callTree(profile.stacks, self, rootSelf) : invertedCallTree(profile.stacks, self, { rootSelf }),
    profile.functions,
  );
}
const lines = (...text: string[]): string => text.join('\n');

describe('callTree', () => {
  it('puts a node before its subtree and the largest sibling first', () => {
    const text = drawing(`
      1     5      10    2
      main  main   main  start
            parse  read
    `);
    expect(text).toBe(lines('total 18', '  main 16 (1)', '    read 10 (10)', '    parse 5 (5)', '  start 2 (2)'));
  });
  it('leaves out subtrees without a value', () => {
    expect(
      drawing(`
      0     3
      idle  main
      poll
    `),
    ).toBe(lines('total 3', '  main 3 (3)'));
  });
  it('gives samples without frames to the root', () => {
    expect(
      drawing(`
      3     4
      main
    `),
    ).toBe(lines('total 7 (4)', '  main 3 (3)'));
  });
  it('orders equal siblings by function row', () => {
    expect(
      drawing(`
      2  2  2
      b  c  a
    `),
    ).toBe(lines('total 6', '  b 2 (2)', '  c 2 (2)', '  a 2 (2)'));
  });
  it('keeps a node whose negative and positive values cancel out', () => {
    expect(
      drawing(`
      -5    5
      main  main
      a     b
    `),
    ).toBe(lines('total 0', '  main 0', '    b 5 (5)', '    a -5 (-5)'));
  });
  it('walks a stack of 200,000 frames', () => {
    const stacks = chain(200_000);
    const tree = callTree(stacks, new Float64Array(stacks.length).fill(1));
    expect([tree.length, tree.total[0], tree.depth[200_000]]).toEqual([200_001, 200_000, 200_000]);
  });
  it('has the sum of self as the total of every node', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const profile = randomProfile(seed);
        const tree = callTree(profile.stacks, selfByStack(profile), selfWithoutStack(profile));
        expect(sum(tree.self)).toBe(sum(profile.sampleValue));
        for (let row = 0; row < tree.length; row += 1) {
          let end = row + 1;
          while (end < tree.length && tree.depth[end]! > tree.depth[row]!) end += 1;
          expect(sum(tree.self.subarray(row, end))).toBe(tree.total[row]);
        }
      }),
    );
  });
});

describe('invertedCallTree', () => {
  it('shows callers below the functions in which samples end', () => {
    const text = drawing(
      `
      10    5      1
      main  main   start
      read  parse  read
            read
      `,
      'up',
    );
    expect(text).toBe(lines('total 16', '  read 16', '    main 10 (10)', '    parse 5', '      main 5 (5)', '    start 1 (1)'));
  });
  it('has the same total as the tree of callees, and its first level is the self of each function', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const profile = randomProfile(seed);
        const self = selfByStack(profile);
        const tree = invertedCallTree(profile.stacks, self, { rootSelf: selfWithoutStack(profile) });
        expect(sum(tree.self)).toBe(sum(profile.sampleValue));
        expect(tree.total[0]).toBe(sum(profile.sampleValue));
        const totals = functionTotals(profile.stacks, self, profile.functions.length);
        const leaves = [...tree.depth.keys()].filter((row) => tree.depth[row] === 1);
        expect(leaves.map((row) => tree.total[row])).toEqual(leaves.map((row) => totals.self[tree.functionRow[row]!]));
      }),
    );
  });
  it('cuts a deep recursion instead of taking the square of its depth', () => {
    const stacks = chain(200_000);
    const tree = invertedCallTree(stacks, new Float64Array(stacks.length).fill(1), { maxFrames: 1_000_000 });
    expect(sum(tree.self)).toBe(200_000);
    expect(tree.length).toBeLessThan(30);
    expect(tree.functionRow).toContain(TRUNCATED);
  });
});

describe('limitCallTree', () => {
  const profile = profileFromText(`
    10    5      4      3
    main  main   main   start
    read  parse  write  load
          gc
  `);
  const tree = callTree(profile.stacks, selfByStack(profile));

  it('folds what it cuts into one child of each kept node', () => {
    const limited = limitCallTree(tree, 4);
    expect(callTreeToText(limited.tree, profile.functions)).toBe(
      lines(
        'total 22',
        '  main 19',
        '    read 10 (10)',
        '    parse 5',
        '      truncated 5 (5)',
        '    truncated 4 (4)',
        '  truncated 3 (3)',
      ),
    );
    expect([limited.truncatedNodes, limited.truncatedValue]).toEqual([4, 12]);
  });
  it('returns the tree itself when it is small enough', () => {
    expect(limitCallTree(tree, tree.length).tree).toBe(tree);
    expect(limitCallTree(tree, tree.length - 1).tree).not.toBe(tree);
  });
  it('conserves the totals and keeps at most as many nodes as asked for', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (seed, maxNodes) => {
        const random = randomProfile(seed);
        const whole = callTree(random.stacks, selfByStack(random), selfWithoutStack(random));
        const { tree: limited, truncatedNodes, truncatedValue } = limitCallTree(whole, maxNodes);
        const real = limited.functionRow.filter((row) => row !== TRUNCATED).length;
        const cut = limited.total.filter((_, row) => limited.functionRow[row] === TRUNCATED);
        expect(sum(limited.self)).toBe(whole.total[0]);
        expect(limited.total[0]).toBe(whole.total[0]);
        expect(real).toBe(Math.min(maxNodes, whole.length));
        expect(real + truncatedNodes).toBe(whole.length);
        expect(sum(cut)).toBe(truncatedValue);
      }),
    );
  });
});

describe('functionTotals', () => {
  it('counts a recursive function once in its total', () => {
    const profile = profileFromText(`
      4     2
      main  main
      fib   fib
      fib
      gc
      fib
    `);
    const { self, total } = functionTotals(profile.stacks, selfByStack(profile), profile.functions.length);
    expect(profile.functions.name).toEqual(['main', 'fib', 'gc']);
    expect([...self]).toEqual([0, 6, 0]);
    expect([...total]).toEqual([6, 6, 4]);
  });
  it('walks a stack of 200,000 frames', () => {
    const stacks = chain(200_000);
    expect([...functionTotals(stacks, new Float64Array(200_000).fill(1), 2).total]).toEqual([200_000, 199_999]);
  });
});
