import type { RatesOfBoth } from './moderated-variance.js';

/** A comparison needs no smaller probability than this, and the product below would go on for ever. */
const SMALLEST_P = 1e-300;

/**
 * Probability that a function with these samples is on one side only, if it cost the same on both: an exact test, because
 * a rate of zero has no logarithm. Samples of one process are not independent, so the counts of the sides are taken as
 * negative binomial with one dispersion; given their sum, the first is beta-binomial (Robinson and Smyth 2008).
 *
 * @param overdispersion - Variance between replicates, as a square of a coefficient of variation.
 * @returns Two-sided, 1 if both sides or neither have samples.
 */
export function presenceP({ baseline, candidate }: RatesOfBoth, overdispersion: number): number {
  if ((baseline.samples === 0) === (candidate.samples === 0)) return 1;
  const [absent, present] = baseline.samples === 0 ? [baseline, candidate] : [candidate, baseline];
  const expected = absent.expectedSamples + present.expectedSamples;
  const replicates = replicatesAtWork(absent.share) + replicatesAtWork(present.share);
  const successes = (replicates * present.expectedSamples) / expected / overdispersion;
  const all = replicates / overdispersion;
  // P(every sample falls on the side that has them) = product of (successes + k) / (all + k).
  let p = 2;
  for (let sample = 0; sample < present.samples && p > SMALLEST_P; sample += 1) p *= (successes + sample) / (all + sample);
  return Math.min(1, p);
}

function replicatesAtWork(share: Float64Array): number {
  return Math.max(
    1,
    share.reduce((count, one) => count + (one > 0 ? 1 : 0), 0),
  );
}
