import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitMix } from './mix-split.js';
import type { SideFlow } from './mix-split.js';

const side = (transactions: number): fc.Arbitrary<SideFlow> =>
  fc.record({
    value: fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: transactions, maxLength: transactions }),
    count: fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: transactions, maxLength: transactions }),
    background: fc.integer({ min: 0, max: 1e9 }),
  });

describe('splitMix', () => {
  it('leaves no residue, whatever happened', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }).chain((transactions) => fc.tuple(side(transactions), side(transactions))),
        ([baseline, candidate]) => {
          // Rows without a count on either side are the caller's background.
          const uncounted = (flow: SideFlow): SideFlow => ({
            ...flow,
            value: flow.value.map((value, row) => (baseline.count[row]! + candidate.count[row]! > 0 ? value : 0)),
          });
          const { split, parts } = splitMix(uncounted(baseline), uncounted(candidate));
          const sum = split.volume + split.mix + split.code + split.background + split.newTransactions - split.goneTransactions;
          const size = Math.max(1, ...Object.values(split).map(Math.abs));
          expect(Math.abs(sum - split.total) / size).toBeLessThan(1e-9);
          expect(parts).toHaveLength(baseline.value.length);
        },
      ),
      { seed: 20261120, numRuns: 500 },
    );
  });

  it('calls a shift of traffic mix, not code', () => {
    // Costs of 1 and 5; 90/10 becomes 70/30.
    const { split } = splitMix(
      { value: [90, 50], count: [90, 10], background: 7 },
      { value: [70, 150], count: [70, 30], background: 7 },
    );
    expect(split).toMatchObject({ total: 80, volume: 0, code: 0, background: 0, newTransactions: 0, goneTransactions: 0 });
    expect(split.mix).toBeCloseTo(80, 10);
  });

  it('calls more of the same volume', () => {
    const { split } = splitMix(
      { value: [90, 50], count: [90, 10], background: 0 },
      { value: [180, 100], count: [180, 20], background: 0 },
    );
    expect(split).toMatchObject({ volume: 140, code: 0 });
    expect(split.mix).toBeCloseTo(0, 12);
  });

  it('keeps transactions of one side apart, with what they cost', () => {
    const { split } = splitMix(
      { value: [90, 50, 0], count: [9, 5, 0], background: 0 },
      { value: [90, 0, 33], count: [9, 0, 3], background: 0 },
    );
    expect(split).toEqual({ total: -17, volume: 0, mix: 0, code: 0, background: 0, newTransactions: 33, goneTransactions: 50 });
  });
});
