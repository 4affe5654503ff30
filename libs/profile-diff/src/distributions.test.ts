import { describe, expect, it } from 'vitest';
import { digamma, inverseTrigamma, median, medianOfChiSquareOverDf, pOfT, tOfUpperTail, trigamma } from './distributions.js';

describe('digamma and trigamma', () => {
  it('have their known values at 1 and 1/2', () => {
    const euler = 0.5772156649015329;
    expect(digamma(1)).toBeCloseTo(-euler, 14);
    expect(digamma(0.5)).toBeCloseTo(-euler - 2 * Math.LN2, 13);
    expect(trigamma(1)).toBeCloseTo(Math.PI ** 2 / 6, 14);
    expect(trigamma(0.5)).toBeCloseTo(Math.PI ** 2 / 2, 13);
  });

  it('are inverted over all that variances can ask for', () => {
    for (const x of [0.01, 0.5, 1, 7.25, 300, 1e5]) expect(inverseTrigamma(trigamma(x)) / x).toBeCloseTo(1, 9);
  });
});

describe('pOfT', () => {
  it('agrees with the closed forms for 1, 2 and 4 degrees of freedom', () => {
    for (const t of [0.1, 1, 4.5, 60]) {
      expect(pOfT(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 12);
      expect(pOfT(t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 12);
      const s = t / Math.sqrt(4 + t * t);
      expect(pOfT(t, 4)).toBeCloseTo(1 - s * (1 + (1 - s * s) / 2), 12);
    }
  });

  it('is two-sided, and 1 where nothing differs', () => {
    expect(pOfT(-2, 7)).toBe(pOfT(2, 7));
    expect(pOfT(0, 7)).toBe(1);
  });

  it('goes over to the normal distribution', () => {
    expect(pOfT(1.959963984540054, Infinity)).toBeCloseTo(0.05, 6);
  });
});

describe('tOfUpperTail', () => {
  it('is what pOfT gives back, also for the small tails of many hypotheses', () => {
    for (const tail of [0.05, 0.025, 1e-5, 4e-7])
      expect((pOfT(tOfUpperTail(tail, 9.3), 9.3) / 2 - tail) / tail).toBeCloseTo(0, 6);
  });
});

describe('median', () => {
  it('takes the middle, or the mean of the middle two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 2])).toBe(3.5);
  });

  it('of chi-square over its degrees of freedom is ln 2 for two', () => {
    expect(medianOfChiSquareOverDf(2)).toBeCloseTo(Math.LN2, 1);
    expect(medianOfChiSquareOverDf(1e6)).toBeCloseTo(1, 5);
  });
});
