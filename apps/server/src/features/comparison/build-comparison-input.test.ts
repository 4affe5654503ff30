import { describe, expect, it } from 'vitest';
import { functionsRootFirst } from '@hearth/profile-model';
import { buildComparisonInput, type ComparisonRows, type SideRows } from './build-comparison-input.js';

const process = (processId: number, id: string, seconds = 60) => ({
  processId,
  id,
  seconds,
  startedAtMs: 0,
  nodeVersion: 'v20.20.0',
  agentVersion: '0.1.0',
  rateHz: 99,
  droppedBatches: 0,
});
/** One row per line: process window group stack value count. */
const samples = (...rows: [number, number, number, number, number, number][]) => ({
  processId: rows.map((row) => row[0]),
  windowStartMs: rows.map((row) => row[1]),
  group: rows.map((row) => row[2]),
  stackId: rows.map((row) => row[3]),
  value: rows.map((row) => row[4]),
  count: rows.map((row) => row[5]),
});
/** main and what it calls: row n + 1 is main>names[n]. */
const mainThen = (...names: string[]) => ({
  functions: {
    length: names.length + 1,
    name: ['main', ...names],
    package: ['', ...names.map(() => '')],
    file: ['', ...names.map(() => '')],
  },
  stacks: {
    length: names.length + 1,
    parent: Int32Array.of(-1, ...names.map(() => 0)),
    functionRow: Uint32Array.from({ length: names.length + 1 }, (_, row) => row),
  },
});
const side = (rows: Partial<SideRows>): SideRows => ({
  fromMs: 0,
  untilMs: 120_000,
  ...mainThen('parse', 'read', 'gc'),
  processes: [],
  samples: samples(),
  counts: [],
  ...rows,
});
const comparison = (baseline: SideRows, kind: 'flow' | 'level' = 'flow'): ComparisonRows => ({
  unit: 'microseconds',
  kind,
  transactions: ['GET /', 'GET /cart'],
  baseline,
  candidate: side({}),
});

describe('buildComparisonInput', () => {
  const processes = [process(7, 'bb'), process(9, 'aa')];
  const rows: [number, number, number, number, number, number][] = [
    [7, 60_000, 1, 3, 10, 1],
    [9, 0, -1, 2, 20, 2],
    [7, 60_000, 1, 3, 5, 1],
    [7, 0, 0, 3, 1, 1],
  ];

  it('names processes and transactions by their rows', () => {
    const { baseline } = buildComparisonInput(comparison(side({ processes, samples: samples(...rows) })));
    expect(baseline.processes.map((one) => one.id)).toEqual(['bb', 'aa']);
    expect([...baseline.samples.process]).toEqual([0, 1, 0, 0]);
    expect([...baseline.samples.transaction]).toEqual([1, -1, 1, 0]);
    expect([...baseline.samples.value]).toEqual([10, 20, 5, 1]);
  });

  it('sums equal rows of a level before it divides, in whatever order they come', () => {
    const level = (order: typeof rows) =>
      buildComparisonInput(
        comparison(side({ processes: [process(7, 'bb', 0.003), process(9, 'aa', 0.007)], samples: samples(...order) }), 'level'),
      );
    const values = level(rows).baseline.samples.value;
    expect([...values]).toEqual([5, 20 / 7, 1 / 3]);
    expect([...level([...rows].reverse()).baseline.samples.value].reverse()).toEqual([20 / 7, 5, 1 / 3]);
  });

  it('averages a level over the time its process was profiled', () => {
    const level = side({
      processes: [process(1, 'aa', 20)],
      samples: samples([1, 0, -1, 0, 100 * 10_000, 1], [1, 10_000, -1, 0, 300 * 10_000, 1]),
    });
    const { baseline } = buildComparisonInput(comparison(level, 'level'));
    expect([...baseline.samples.value].reduce((sum, value) => sum + value)).toBe(200);
  });

  it('joins the stacks of both sides, which may be of two months', () => {
    const { functions, stacks, baseline, candidate } = buildComparisonInput({
      ...comparison(side({ processes, samples: samples([7, 0, 0, 1, 1, 1], [7, 0, 0, 3, 2, 1], [7, 0, 0, -1, 9, 1]) })),
      candidate: side({ ...mainThen('gc', 'new'), processes, samples: samples([9, 0, 0, 1, 4, 1], [9, 0, 0, 2, 8, 1]) }),
    });
    const pathOf = (stack: number) => functionsRootFirst(stacks, stack).map((row) => functions.name[row]);
    expect(Array.from(baseline.samples.stack, pathOf)).toEqual([['main', 'parse'], ['main', 'gc'], []]);
    expect(Array.from(candidate.samples.stack, pathOf)).toEqual([
      ['main', 'gc'],
      ['main', 'new'],
    ]);
    expect(candidate.samples.stack[0]).toBe(baseline.samples.stack[1]);
    expect(stacks.length).toBe(4); // nobody calls read
  });

  it('lists only transactions that occur, by name', () => {
    const input = buildComparisonInput({
      ...comparison(side({ processes, samples: samples([7, 0, 2, 3, 1, 1], [7, 0, 0, 3, 1, 1]) })),
      transactions: ['b', 'unused', 'a'],
    });
    expect(input.transactions).toEqual(['a', 'b']);
    expect([...input.baseline.samples.transaction]).toEqual([0, 1]);
  });

  it('refuses samples of a process that was not selected', () => {
    expect(() => buildComparisonInput(comparison(side({ processes, samples: samples([1, 0, 0, 0, 1, 1]) })))).toThrow(
      'process 1',
    );
  });
});
