/** What one function has on both sides, and what all have together. */
export interface ScaledCounts {
  /** Samples, one per function. */
  readonly baseline: Float64Array;
  readonly candidate: Float64Array;
}

/** Of the functions, this share with the most extreme ratios on each end says nothing about the scale. */
const RATIO_TRIM = 0.3;
/** And this share of the rarest and of the most frequent on each end. */
const LEVEL_TRIM = 0.05;

/**
 * The factor by which everything that did not change seems to have changed, because shares have to sum to one: a function
 * that is removed makes all others look dearer by it. Trimmed mean of M values, Robinson and Oshlack (2010).
 *
 * @returns candidate share / baseline share of an unchanged function; 1 if no function has samples on both sides.
 */
export function compositionFactor({ baseline, candidate }: ScaledCounts): number {
  const baselineSum = baseline.reduce((sum, count) => sum + count, 0);
  const candidateSum = candidate.reduce((sum, count) => sum + count, 0);
  const functions: { ratio: number; level: number; weight: number }[] = [];
  baseline.forEach((before, id) => {
    const after = candidate[id]!;
    if (before === 0 || after === 0) return;
    const shareBefore = before / baselineSum;
    const shareAfter = after / candidateSum;
    functions.push({
      ratio: Math.log(shareAfter / shareBefore),
      level: Math.log(shareAfter * shareBefore),
      weight: 1 / ((1 - shareBefore) / before + (1 - shareAfter) / after),
    });
  });
  const isInner = {
    ratio: inner(
      functions.map(({ ratio }) => ratio),
      RATIO_TRIM,
    ),
    level: inner(
      functions.map(({ level }) => level),
      LEVEL_TRIM,
    ),
  };
  let weights = 0;
  let sum = 0;
  for (const { ratio, level, weight } of functions) {
    if (!isInner.ratio(ratio) || !isInner.level(level) || !Number.isFinite(weight)) continue;
    weights += weight;
    sum += weight * ratio;
  }
  return weights > 0 ? Math.exp(sum / weights) : 1;
}

/** By value, not by rank: equal values stay or go together, so exchanging the sides keeps the same functions. */
function inner(values: readonly number[], trim: number): (value: number) => boolean {
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length * trim);
  const [low, high] = [sorted[cut]! - ROUNDING, sorted[sorted.length - 1 - cut]! + ROUNDING];
  return (value) => value >= low && value <= high;
}
const ROUNDING = 1e-12;
