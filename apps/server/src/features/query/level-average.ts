import type { DurationMs } from '@hearth/profile-model';

/**
 * Turn stored levels (value x milliseconds) into their average over `observedMs`.
 *
 * Whole numbers, so that every view shows the same ones: the fraction is carried from row to row, and the
 * result sums to the rounded average of the whole.
 *
 * @param values - Value x milliseconds; not changed.
 */
export function averageOverTime(values: Float64Array, observedMs: DurationMs): Float64Array {
  const averages = new Float64Array(values.length);
  let exact = 0;
  let given = 0;
  for (let row = 0; row < values.length; row += 1) {
    if (values[row] === 0) continue;
    exact += values[row]! / observedMs;
    const rounded = Math.round(exact);
    averages[row] = rounded - given;
    given = rounded;
  }
  return averages;
}
