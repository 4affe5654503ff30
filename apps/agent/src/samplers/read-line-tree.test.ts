import { describe, expect, it } from 'vitest';
import type { RawNode } from './native-profiler.js';
import { readLineTree } from './read-line-tree.js';
import { StackTables } from './stack-tables.js';

const node = (name: string, lineNumber: number, hitCount: number, children: RawNode[] = []): RawNode => ({
  name,
  scriptName: name.startsWith('(') ? '' : 'file:///srv/app.js',
  lineNumber,
  columnNumber: 0,
  hitCount,
  children,
});
const root = (...children: RawNode[]) => ({ topDownRoot: node('(root)', 0, 0, children), startTime: 0, endTime: 40_000 });

describe('readLineTree', () => {
  it('makes a row of each stack of lines, and divides CPU equally among the samples that were busy', () => {
    const tables = new StackTables();
    const tree = root(node('main', 3, 0, [node('work', 7, 3)]), node('main', 4, 1), node('(idle)', 0, 4));
    const { rows, unsharedCpuNanos } = readLineTree(tree, tables, 8e6);
    expect(
      tables
        .framesRootFirst(rows.map(({ stackRow }) => stackRow))
        .map((frames) => frames.map(({ name, line }) => `${name}:${line}`)),
    ).toEqual([['main:3', 'work:7'], ['main:4'], ['(idle):0']]);
    expect(rows.map(({ count, wallMicros, cpuMicros }) => [count, wallMicros, cpuMicros])).toEqual([
      [3, 15_000, 6_000],
      [1, 5_000, 2_000],
      [4, 20_000, undefined],
    ]);
    expect(unsharedCpuNanos).toBe(0);
  });

  it('keeps the CPU of a period without a busy sample, and reads one without samples', () => {
    expect(readLineTree(root(node('(idle)', 0, 2)), new StackTables(), 5).unsharedCpuNanos).toBe(5);
    expect(readLineTree(root(), new StackTables(), 5)).toEqual({ rows: [], unsharedCpuNanos: 5 });
  });
});
