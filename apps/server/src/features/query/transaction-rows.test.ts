import { describe, expect, it } from 'vitest';
import { DurationSketch, labelSet } from '@hearth/profile-model';
import { transactionRows, transactionsByLabel, type CountedTransactions } from './transaction-rows.js';

const sketchOf = (micros: number, count: number) => {
  const sketch = new DurationSketch();
  sketch.add(micros, count);
  return sketch;
};
const counted = (labelSetId: number, outcome: string, count: number, micros: number): CountedTransactions => ({
  labelSetId,
  kind: 'http',
  outcome,
  count,
  durationSumMicros: count * micros,
  sketch: sketchOf(micros, count),
});
const figures = {
  labelSets: new Map([
    [1, labelSet({})],
    [2, labelSet({ transaction: 'GET /', plan: 'pro' })],
    [3, labelSet({ transaction: 'GET /', plan: 'free' })],
    [4, labelSet({ transaction: 'report' })],
  ]),
  counted: [counted(2, 'ok', 98, 1000), counted(3, 'error', 1, 1000), counted(3, 'aborted', 1, 9000)],
  cpuMicrosOfLabelSet: new Map([
    [1, 7],
    [2, 100],
    [3, 400],
    [4, 50],
  ]),
  waits: undefined,
  observedMs: 120_000,
};
const waits = {
  waitMicrosOfLabelSet: new Map([
    [1, 5],
    [2, 90_000],
    [3, 10_000],
  ]),
  awaitedMicrosOfLabelSet: new Map([
    [2, 70_000],
    [3, 6_000],
  ]),
};

describe('transactionRows', () => {
  it('sums label sets and outcomes of one transaction, and tells what belongs to none', () => {
    const { transactions, backgroundCpuMicros } = transactionRows(figures);
    expect(backgroundCpuMicros).toBe(7);
    expect(
      transactions.map((row) => [row.name, row.count, row.errors, row.perMinute, row.cpuMicros, row.cpuPerTransactionMicros]),
    ).toEqual([
      ['GET /', 100, 1, 50, 500, 5],
      ['report', 0, 0, 0, 50, 0],
    ]);
  });
  it('takes quantiles from the merged sketches', () => {
    const [row] = transactionRows(figures).transactions;
    expect(row!.durationMicros.p50 / 1000).toBeCloseTo(1, 1);
    expect(row!.durationMicros.p99 / 1000).toBeCloseTo(1, 1);
    expect(row!.durationMicros.mean).toBe(1080);
  });
  it('says what neither running nor waiting explains of the durations', () => {
    const [row, report] = transactionRows({ ...figures, waits }).transactions;
    expect([row!.waitMicros, row!.awaitedMicros]).toEqual([100_000, 76_000]);
    expect(row!.unexplainedMicros).toBe(98_000 + 1_000 + 9_000 - 500 - 76_000);
    expect([report!.waitMicros, report!.unexplainedMicros]).toEqual([0, 0]); // CPU of runs that have not finished
  });
  it('tells a service that records no waits from one that waited for nothing', () => {
    const [row] = transactionRows(figures).transactions;
    expect([row!.waitMicros, row!.awaitedMicros, row!.unexplainedMicros]).toEqual([null, null, null]);
  });
});

describe('transactionsByLabel', () => {
  it('splits by the values of each label, dearest first', () => {
    const byLabel = transactionsByLabel({
      ...figures,
      cpuMicrosOfLabelSet: new Map([
        [2, 100],
        [3, 400],
      ]),
    });
    expect(byLabel.map((one) => [one.label, one.values.map((row) => [row.value, row.cpuPerTransactionMicros])])).toEqual([
      [
        'plan',
        [
          ['free', 200],
          ['pro', 100 / 98],
        ],
      ],
    ]);
  });
});
