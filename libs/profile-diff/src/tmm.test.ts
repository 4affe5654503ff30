import { describe, expect, it } from 'vitest';
import { compositionFactor } from './tmm.js';

const functions = Array.from({ length: 40 }, (_, id) => 100 + 37 * id);

describe('compositionFactor', () => {
  it('is 1 if one side simply has more of everything', () => {
    expect(
      compositionFactor({
        baseline: Float64Array.from(functions),
        candidate: Float64Array.from(functions, (count) => 3 * count),
      }),
    ).toBeCloseTo(1, 12);
  });

  it('is what the others gained in share when one function was removed', () => {
    const removed = functions.map((count, id) => (id === 39 ? 0 : count));
    const sum = functions.reduce((all, count) => all + count, 0);
    const factor = compositionFactor({ baseline: Float64Array.from(functions), candidate: Float64Array.from(removed) });
    expect(factor).toBeCloseTo(sum / (sum - functions[39]!), 12);
  });

  it('is not moved by a few functions that changed much', () => {
    const changed = functions.map((count, id) => (id < 4 ? 20 * count : count));
    const sums = [functions, changed].map((counts) => counts.reduce((all, count) => all + count, 0)) as [number, number];
    const factor = compositionFactor({ baseline: Float64Array.from(functions), candidate: Float64Array.from(changed) });
    expect(factor).toBeCloseTo(sums[0] / sums[1], 12);
  });

  it('turns into its inverse when the sides are exchanged', () => {
    const other = Float64Array.from(functions, (count, id) => count * (1 + ((id * 7) % 11) / 20));
    const forth = compositionFactor({ baseline: Float64Array.from(functions), candidate: other });
    const back = compositionFactor({ baseline: other, candidate: Float64Array.from(functions) });
    expect(forth * back).toBeCloseTo(1, 12);
  });

  it('is 1 where no function is on both sides', () => {
    expect(compositionFactor({ baseline: Float64Array.of(5, 0), candidate: Float64Array.of(0, 5) })).toBe(1);
  });
});
