import { describe, expect, it } from 'vitest';
import { pOfT } from './distributions.js';
import { fitPrior, moderateFamily } from './moderated-variance.js';
import type { RatesOfBoth } from './moderated-variance.js';
import type { SideRate } from './side-rate.js';
import { seededRandom } from './testing/random.js';

/** Rates of one function from its samples in each process and the work each did. */
function rates(
  before: readonly number[],
  after: readonly number[],
  workBefore: readonly number[],
  workAfter: readonly number[],
): RatesOfBoth {
  const pooled = (sum(before) + sum(after)) / (sum(workBefore) + sum(workAfter));
  const side = (counts: readonly number[], work: readonly number[]): SideRate => {
    const rate = sum(counts) / sum(work);
    const share = Float64Array.from(work, (done) => done / sum(work));
    return {
      rate,
      samples: sum(counts),
      expectedSamples: pooled * sum(work),
      share,
      deviation: Float64Array.from(counts, (count, row) => count / (rate * work[row]!) - 1),
      countingPerSample: share.map((one) => 1 / one),
    };
  };
  return { baseline: side(before, workBefore), candidate: side(after, workAfter) };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}

/** Log ratio, standard error, degrees of freedom and p of each function. */
function figures(family: readonly RatesOfBoth[]): number[][] {
  return moderateFamily(family).moderated.map((moderated, row) => {
    const log = Math.log(family[row]!.candidate.rate / family[row]!.baseline.rate);
    return [log, moderated!.standardError, moderated!.df, pOfT(log / moderated!.standardError, moderated!.df)];
  });
}

/** Largest relative difference of any figure. */
function differenceOf(actual: readonly number[][], expected: readonly number[][]): number {
  return Math.max(...actual.flatMap((row, at) => row.map((figure, column) => Math.abs(figure / expected[at]![column]! - 1))));
}

describe('moderateFamily', () => {
  // Expected figures: reference/moderated_t.py, which computes them by another route.
  it('agrees with the reference for four processes a side that vary unlike', () => {
    const work = [1000, 1000, 1000, 1000];
    const family = [
      rates([100, 118, 92, 105], [130, 141, 128, 150], work, work),
      rates([1000, 1260, 830, 1010], [900, 1150, 1300, 840], work, work),
      rates([400, 402, 396, 399], [470, 468, 475, 466], work, work),
      rates([50, 61, 48, 44], [55, 47, 60, 52], work, work),
      rates([2000, 2100, 1950, 2040], [2010, 1990, 2080, 2110], work, work),
    ];
    const { model } = moderateFamily(family);
    expect(model.betweenVariance).toBeCloseTo(0.0004903200863409847, 12);
    expect(model.priorDf).toBeCloseTo(0.8888734420728027, 8);
    expect(model.priorScale).toBeCloseTo(0.22056341827811066, 8);
    expect(model.maxDf).toBeCloseTo(19.057977278174263, 8);
    expect(
      differenceOf(figures(family), [
        [0.279819921279, 0.0644156626401, 6.88887344207, 0.00350960524433],
        [0.0217137602238, 0.125383142002, 6.88887344207, 0.867488912054],
        [0.162612851198, 0.0339226765776, 6.88887344207, 0.00207025413543],
        [0.0527700359801, 0.0979404213749, 6.88887344207, 0.606990227647],
        [0.0122851667946, 0.0198929367477, 6.88887344207, 0.556717011059],
      ]),
    ).toBeLessThan(1e-8);
  });

  it('says of the variance of processes that it lasts, as much as the moderated variance holds of it', () => {
    const work = [1000, 1000, 1000, 1000];
    // Counted more regularly than by chance, so that the variance is less than the trend; the last one hardly, and at the floor of counting.
    const family = [
      rates([100, 118, 92, 105], [130, 141, 128, 150], work, work),
      rates([1000, 1260, 830, 1010], [900, 1150, 1300, 840], work, work),
      rates([400, 402, 396, 399], [470, 468, 475, 466], work, work),
      rates([2000, 2100, 1950, 2040], [2010, 1990, 2080, 2110], work, work),
      rates([50, 51, 50, 51], [55, 54, 55, 54], work, work),
    ];
    const { model, moderated } = moderateFamily(family);
    expect(model.betweenVariance).toBeGreaterThan(1e-4);
    expect(Math.min(...moderated.map((one) => one!.scale))).toBeLessThan(0.7);
    for (const one of moderated) {
      const { standardError, scale, countingVariance } = one!;
      const lasting = scale * model.betweenVariance * (1 / 4 + 1 / 4); // of four equal processes a side
      expect((standardError ** 2 - countingVariance) / lasting).toBeCloseTo(1, 9);
    }
  });

  it('agrees with the reference for three processes against five that did unlike amounts of work', () => {
    const before = [1000, 2000, 900];
    const after = [1000, 500, 1050, 950, 2000];
    const family = [
      rates([100, 240, 92], [130, 65, 140, 125, 290], before, after),
      rates([1000, 2190, 890], [1010, 520, 1090, 905, 2050], before, after),
      rates([410, 790, 396], [380, 210, 404, 420, 790], before, after),
      rates([50, 108, 48], [49, 30, 55, 47, 110], before, after),
    ];
    expect(
      differenceOf(figures(family), [
        [0.207876079183, 0.0590344426077, 11.7485849533, 0.00434531234589],
        [-0.0315762101727, 0.0279242937848, 11.7485849533, 0.280703640869],
        [-0.0209981468398, 0.0377121924923, 11.7485849533, 0.588113891087],
        [0.00167555927909, 0.0910407886051, 11.7485849533, 0.985625031995],
      ]),
    ).toBeLessThan(1e-8);
  });

  it('draws a function that looks quiet by chance towards the others', () => {
    const random = seededRandom(5);
    const work = [1000, 1000, 1000];
    const noisy = () => [0, 0, 0].map(() => Math.round(1000 * Math.exp(0.1 * random.normal())));
    const family = [
      rates([1000, 1000, 1000], [1020, 1020, 1020], work, work),
      ...Array.from({ length: 60 }, () => rates(noisy(), noisy(), work, work)),
    ];
    const [quiet] = figures(family) as [number[]];
    expect(quiet[1]).toBeGreaterThan(0.03); // by itself it would be 0
    expect(quiet[3]).toBeGreaterThan(0.1);
  });

  it('does not take the agreement of functions of one slow process for evidence', () => {
    const random = seededRandom(9);
    const work = [1000, 1000, 1000, 1000];
    const family = (own: number, common: number): RatesOfBoth[] => {
      const speeds = Array.from({ length: 8 }, () => Math.exp(common * random.normal()));
      const counts = (from: number) => speeds.slice(from, from + 4).map((speed) => 1e5 * speed * Math.exp(own * random.normal()));
      return Array.from({ length: 100 }, () => rates(counts(0), counts(4), work, work));
    };
    expect(moderateFamily(family(0.1, 0)).model.maxDf).toBeGreaterThan(100);
    expect(moderateFamily(family(0.001, 0.1)).model.maxDf).toBeLessThan(7); // the six that the processes have
  });

  it('says nothing where no side has two processes', () => {
    expect(moderateFamily([rates([5], [6], [10], [10])]).moderated).toEqual([undefined]);
  });

  it('leaves out processes that did none of the work', () => {
    const family = [rates([100, 0, 110, 90], [105, 95, 100, 100], [1000, 0, 1000, 1000], [1000, 1000, 1000, 1000])];
    expect(moderateFamily(family).model.df).toBe(5);
  });
});

describe('fitPrior', () => {
  it('finds the prior that variances were drawn from', () => {
    const random = seededRandom(3);
    const chiSquare = (df: number): number =>
      Array.from({ length: df }, () => random.normal() ** 2).reduce((all, one) => all + one, 0);
    const variances = Array.from({ length: 4000 }, () => ((2 * 8) / chiSquare(8)) * (chiSquare(6) / 6));
    const { priorDf, priorScale } = fitPrior(
      variances,
      variances.map(() => 6),
    );
    expect(priorDf).toBeGreaterThan(7);
    expect(priorDf).toBeLessThan(9.2);
    expect(priorScale).toBeGreaterThan(1.9);
    expect(priorScale).toBeLessThan(2.1);
  });

  it('is infinite where variances differ no more than chance makes them', () => {
    expect(fitPrior([1, 1.1, 0.9, 1.05], [6, 6, 6, 6]).priorDf).toBe(Infinity);
  });
});
