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
  const kept = new Set(middle(functions, ({ level }) => level, LEVEL_TRIM));
  let weights = 0;
  let sum = 0;
  for (const one of middle(functions, ({ ratio }) => ratio, RATIO_TRIM)) {
    if (!kept.has(one) || !Number.isFinite(one.weight)) continue;
    weights += one.weight;
    sum += one.weight * one.ratio;
  }
  return weights > 0 ? Math.exp(sum / weights) : 1;
}

function middle<T>(rows: readonly T[], of: (row: T) => number, trim: number): T[] {
  const sorted = [...rows].sort((a, b) => of(a) - of(b));
  const cut = Math.floor(rows.length * trim);
  return sorted.slice(cut, rows.length - cut);
}
