import { describe, expect, it } from 'vitest';
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
const side = (rows: Partial<SideRows>): SideRows => ({
  fromMs: 0,
  untilMs: 120_000,
  processes: [],
  samples: samples(),
  counts: [],
  ...rows,
});
const comparison = (baseline: SideRows, kind: 'flow' | 'level' = 'flow'): ComparisonRows => ({
  unit: 'microseconds',
  kind,
  functions: { length: 0, name: [], package: [], file: [] },
  stacks: { length: 0, parent: new Int32Array(), functionRow: new Uint32Array() },
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

  it('orders processes by id and samples by process, window, transaction, stack; equal rows are one', () => {
    const { baseline } = buildComparisonInput(comparison(side({ processes, samples: samples(...rows) })));
    expect(baseline.processes.map((one) => one.id)).toEqual(['aa', 'bb']);
    expect([...baseline.samples.process]).toEqual([0, 1, 1]);
    expect([...baseline.samples.windowStartMs]).toEqual([0, 0, 60_000]);
    expect([...baseline.samples.transaction]).toEqual([-1, 0, 1]);
    expect([...baseline.samples.value]).toEqual([20, 1, 15]);
    expect([...baseline.samples.count]).toEqual([2, 1, 2]);
  });

  it('gives the same input whatever the order of the rows', () => {
    const one = buildComparisonInput(comparison(side({ processes, samples: samples(...rows) })));
    const other = buildComparisonInput(
      comparison(side({ processes: [...processes].reverse(), samples: samples(...[...rows].reverse()) })),
    );
    expect(other).toEqual(one);
  });

  it('averages a level over the time its process was profiled', () => {
    const level = side({
      processes: [process(1, 'aa', 20)],
      samples: samples([1, 0, -1, 0, 100 * 10_000, 1], [1, 10_000, -1, 0, 300 * 10_000, 1]),
    });
    const { baseline } = buildComparisonInput(comparison(level, 'level'));
    expect([...baseline.samples.value].reduce((sum, value) => sum + value)).toBe(200);
  });

  it('sums counts of one process, window and transaction', () => {
    const count = { processId: 7, windowStartMs: 0, transaction: 1, count: 2, errors: 1, durationSumMicros: 50 };
    const { baseline } = buildComparisonInput(comparison(side({ processes, counts: [count, { ...count, errors: 0 }] })));
    expect([...baseline.counts.count]).toEqual([4]);
    expect([...baseline.counts.errors]).toEqual([1]);
    expect([...baseline.counts.durationSumMicros]).toEqual([100]);
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
