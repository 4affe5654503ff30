import { describe, expect, it } from 'vitest';
import type { ComparisonRows, SideRows } from './build-comparison-input.js';
import { withoutPartialCounts } from './expired-counts.js';

const DAY = 86_400_000;

/** Samples as (window, transaction), and how often each transaction finished. */
function side(samples: readonly [windowStartMs: number, transaction: number][], counted: readonly number[]): SideRows {
  const column = (value: number) => samples.map(() => value);
  return {
    fromMs: 0,
    untilMs: 3 * DAY,
    functions: { length: 0, name: [], package: [], file: [] },
    stacks: { length: 0, parent: new Int32Array(), functionRow: new Uint32Array() },
    processes: [],
    samples: {
      processId: column(1),
      windowStartMs: samples.map(([windowStartMs]) => windowStartMs),
      group: samples.map(([, transaction]) => transaction),
      stackId: column(-1),
      value: column(1),
      count: column(1),
    },
    counts: counted.map((transaction) => ({
      processId: 1,
      windowStartMs: 2 * DAY,
      transaction,
      count: 1,
      errors: 0,
      durationSumMicros: 1,
    })),
  };
}
const rows = (baseline: SideRows, candidate: SideRows, kind: 'flow' | 'level' = 'flow'): ComparisonRows => ({
  unit: 'microseconds',
  kind,
  transactions: ['GET /', 'GET /cart'],
  baseline,
  candidate,
});
const complete = side([[2 * DAY, 0]], [0]);

const since = (ms: number | undefined) => ({ baseline: ms, candidate: ms });

describe('withoutPartialCounts', () => {
  it('asks each side since when it is counted: a pinned revision keeps its counts', () => {
    const asked = rows(side([[0, 0]], [0]), complete);
    expect(withoutPartialCounts(asked, { baseline: 0, candidate: 2 * DAY })).toBe(asked);
    expect(withoutPartialCounts(asked, { baseline: 1, candidate: 0 }).countedSinceMs).toBe(1);
  });

  it('leaves out the counts of both sides if one has samples from before they were kept', () => {
    const partial = side([[2 * DAY - 1, 0]], [0]);
    for (const asked of [rows(partial, complete), rows(complete, partial)]) {
      const { countedSinceMs, baseline, candidate } = withoutPartialCounts(asked, since(2 * DAY));
      expect([countedSinceMs, baseline.counts, candidate.counts]).toEqual([2 * DAY, [], []]);
      expect([baseline.samples, candidate.samples]).toEqual([asked.baseline.samples, asked.candidate.samples]);
    }
  });

  it.each([
    ['from the first day on', side([[2 * DAY, 0]], [0])],
    ['of work in no transaction', side([[0, -1]], [0])],
    ['that are labelled with what nobody counts', side([[0, 1]], [0])],
  ])('keeps the counts of samples %s', (_, one) => {
    const asked = rows(one, complete);
    expect(withoutPartialCounts(asked, since(2 * DAY))).toBe(asked);
  });

  it('says so where no count of either side is left', () => {
    const gone = side([[0, 1]], []);
    expect(withoutPartialCounts(rows(gone, gone), since(2 * DAY)).countedSinceMs).toBe(2 * DAY);
    expect(withoutPartialCounts(rows(gone, gone), since(undefined)).countedSinceMs).toBeUndefined();
  });

  it('leaves levels alone, which are not divided by counts', () => {
    const asked = rows(side([[0, 0]], [0]), complete, 'level');
    expect(withoutPartialCounts(asked, since(2 * DAY))).toBe(asked);
  });
});
