import type { EpochMs } from '@hearth/profile-model';
import type { ComparisonRows, SideRows } from './build-comparison-input.js';

/**
 * Leaves out the counts of both sides where they are only a part of what the samples of a side did: divided by them, its transactions would
 * look too dear, and those of the other side improved (decision 0135).
 *
 * @param countedSince For each side the start of the first day of which there are counts; `undefined`: there are none.
 */
export function withoutPartialCounts(
  rows: ComparisonRows,
  countedSince: Readonly<Record<'baseline' | 'candidate', EpochMs | undefined>>,
): ComparisonRows {
  const { kind, baseline, candidate } = rows;
  if (kind === 'level') return rows;
  const counted = new Set([...baseline.counts, ...candidate.counts].map(({ transaction }) => transaction));
  // A client may label what it does not count: that is no transaction, and nothing of it is missing.
  const isCounted = (transaction: number) => transaction >= 0 && (counted.size === 0 || counted.has(transaction));
  const partialSince = (['baseline', 'candidate'] as const).flatMap((side) => {
    const sinceMs = countedSince[side];
    return sinceMs !== undefined && hasSamplesBefore(rows[side], sinceMs, isCounted) ? [sinceMs] : [];
  });
  if (partialSince.length === 0) return rows;
  return {
    ...rows,
    countedSinceMs: Math.max(...partialSince),
    baseline: { ...baseline, counts: [] },
    candidate: { ...candidate, counts: [] },
  };
}

function hasSamplesBefore({ samples }: SideRows, beforeMs: EpochMs, isCounted: (transaction: number) => boolean): boolean {
  for (let row = 0; row < samples.group.length; row += 1)
    if (samples.windowStartMs[row]! < beforeMs && isCounted(samples.group[row]!)) return true;
  return false;
}
