import type { EpochMs } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';

/** Older batches are refused, so that their identities need not be kept for ever: they are for eight days. */
export const MAX_AGE_MS = 7 * 86_400_000;
/** Clocks of one network differ by less; a start further ahead comes from a wrong clock. */
export const MAX_AHEAD_MS = 5 * 60_000;

/**
 * The start under which a batch is stored: its own, or, where its clock is ahead, the time it must have begun by ours.
 *
 * @throws {HearthError} `BATCH_TOO_OLD`
 */
export function acceptedStart(startMs: EpochMs, durationMs: number, nowMs: EpochMs): { startMs: EpochMs; isCorrected: boolean } {
  if (startMs < nowMs - MAX_AGE_MS) {
    throw new HearthError(
      'BATCH_TOO_OLD',
      `a batch from ${isoTime(startMs)} is older than ${MAX_AGE_MS / 86_400_000} days: it is not stored`,
    );
  }
  if (startMs > nowMs + MAX_AHEAD_MS) return { startMs: Math.max(0, nowMs - durationMs), isCorrected: true };
  return { startMs, isCorrected: false };
}

function isoTime(ms: EpochMs): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
