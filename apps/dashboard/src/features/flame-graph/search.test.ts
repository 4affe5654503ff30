import { describe, expect, it } from 'vitest';
import type { FlameGraphAnswer } from '@hearth/query-contract';
import { diffTree, flameTree, rowOfPath } from './flame-tree.js';
import { layOut } from './layout.js';
import { matchFrames, parseSearch } from './search.js';

/**
 *     total 0
 *       walk 1
 *         walk 2
 *           read 3
 *       read 4
 */
const answer: FlameGraphAnswer = {
  selection: { service: 'shop', type: 'cpu', fromMs: 0, untilMs: 60_000, maxNodes: 16_384 },
  kind: 'flow',
  unit: 'microseconds',
  depth: [0, 1, 2, 3, 1],
  name: [-1, 0, 0, 1, 1],
  self: [0, 1, 2, 3, 4],
  total: [10, 6, 5, 3, 4],
  names: ['walk', 'read'],
  packages: ['', 'node'],
  files: ['src/walk.js', 'fs'],
  sum: 10,
  samples: 10,
  truncated: { nodes: 0, value: 0 },
  minified: [],
};

describe('matchFrames', () => {
  const tree = flameTree(answer);
  const layout = layOut(tree);
  it('counts a recursion once', () => expect(matchFrames(tree, layout, 'walk', '')!.share).toBe(0.6));
  it('sums what is apart', () => expect(matchFrames(tree, layout, 'READ', '')!.share).toBe(0.7));
  it('finds a function by its file', () => expect(matchFrames(tree, layout, 'src/', '')!.functions).toBe(1));
  it('does not find the root by its name', () => expect(matchFrames(tree, layout, 'total', '')!.share).toBe(0));
  it('matches the selected function when nothing is searched', () => {
    expect(matchFrames(tree, layout, '', tree.hashes[1]!)!.share).toBe(0.7);
    expect(matchFrames(tree, layout, '', '')).toBeUndefined();
  });
});

describe('parseSearch', () => {
  it('takes a part of a name literally', () => expect(parseSearch('a.c')!('abc')).toBe(false));
  it('takes a pattern between slashes', () => expect(parseSearch('/a.c/')!('xABCx')).toBe(true));
  it('finds nothing with a broken pattern', () => expect(parseSearch('/(/')).toBeUndefined());
});

describe('rowOfPath', () => {
  const tree = flameTree(answer);
  const [walk, read] = tree.hashes as [string, string];
  it('follows a path of functions', () => {
    expect(rowOfPath(tree, [walk, walk, read])).toBe(3);
    expect(rowOfPath(tree, [read])).toBe(4);
  });
  it('stops where this tree ends', () => {
    expect(rowOfPath(tree, [walk, read, read])).toBe(1);
    expect(rowOfPath(tree, ['nothing'])).toBe(0);
    expect(rowOfPath(tree, [])).toBe(0);
  });
});

describe('diffTree', () => {
  it('is as wide as the larger side of every frame', () => {
    const tree = diffTree({
      unit: 'microseconds',
      tree: {
        depth: [0, 1, 1],
        functionRow: [-1, 0, 1],
        functions: [
          { name: 'gone', package: '', file: 'a' },
          { name: 'new', package: '', file: 'a' },
        ],
        baselineSelf: [0, 6, 0],
        baselineTotal: [6, 6, 0],
        candidateSelf: [0, 0, 4],
        candidateTotal: [4, 0, 4],
        confidence: [1, 1, 1],
      },
    } as never);
    expect([...layOut(tree).total]).toEqual([10, 6, 4]);
    expect([...tree.change]).toEqual([-2, -6, 4]);
  });
});
