import digamma from '@stdlib/math-base-special-digamma';
import trigamma from '@stdlib/math-base-special-trigamma';
import tCdf from '@stdlib/stats-base-dists-t-cdf';
import tQuantile from '@stdlib/stats-base-dists-t-quantile';

export { digamma, trigamma };

/** Beyond this many degrees of freedom t is the normal distribution to nine digits; the library's cdf is wrong at infinity. */
const MAX_DF = 1e6;

/** Probability of a |t| this large or larger when nothing changed. */
export function pOfT(t: number, df: number): number {
  return 2 * tCdf(-Math.abs(t), Math.min(df, MAX_DF));
}

/** By upper tail, then degrees of freedom. */
const quantiles = new Map<number, Map<number, number>>();
const MAX_REMEMBERED = 4096;

/** The t that is exceeded with probability `upper`. Remembered: a comparison asks the same few of them thousands of times. */
export function tOfUpperTail(upper: number, df: number): number {
  let ofTail = quantiles.get(upper);
  if (ofTail === undefined || ofTail.size > MAX_REMEMBERED) {
    if (quantiles.size > MAX_REMEMBERED) quantiles.clear();
    quantiles.set(upper, (ofTail = new Map()));
  }
  let quantile = ofTail.get(df);
  if (quantile === undefined) {
    // The lower tail, negated: 1 - upper would lose the digits of a small probability.
    quantile = -tQuantile(upper, Math.min(df, MAX_DF));
    ofTail.set(df, quantile);
  }
  return quantile;
}

/** The x with trigamma(x) = y. trigamma falls everywhere, so the interval of log x can be halved until nothing is left of it. */
export function inverseTrigamma(y: number): number {
  let low = Math.log(1e-4);
  let high = Math.log(1e8);
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (trigamma(Math.exp(middle)) > y) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** Median of chi-square(df) / df: Wilson and Hilferty (1931), within 1 % from df = 2. */
export function medianOfChiSquareOverDf(df: number): number {
  return (1 - 2 / (9 * df)) ** 3;
}

/** Sorts a copy. The mean of the middle two where there are two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
