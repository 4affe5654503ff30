import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import { HearthError, parseTime } from '../../platform/http/index.js';

/** Longest range of one question. A month of minutes is 44,640 segments a process group: what one read may cost. */
export const MAX_RANGE_MS: DurationMs = 31 * 86_400_000;

/**
 * Both ends of a question, half-open.
 *
 * @throws {HearthError} `TIME_INVALID`, `RANGE_EMPTY`
 */
export function parseRange(from: string, until: string, nowMs: EpochMs): TimeRange {
  const range = { fromMs: parseTime(from, nowMs), untilMs: parseTime(until, nowMs) };
  if (range.fromMs >= range.untilMs) {
    throw new HearthError('RANGE_EMPTY', `from ${from} is not before until ${until}: the range holds no instant`);
  }
  return range;
}

/**
 * A range that may be asked about. Only one that is too long is cut.
 *
 * @param life Of a pinned revision that alone is asked about: all of it may be.
 * @throws {HearthError} `RANGE_TOO_LONG`
 */
export function boundedRange(range: TimeRange, life: TimeRange | undefined): TimeRange {
  if (!isTooLong(range)) return range;
  const lived = life && overlap(range, life);
  if (lived !== undefined) return lived;
  throw new HearthError(
    'RANGE_TOO_LONG',
    `${new Date(range.fromMs).toISOString()} to ${new Date(range.untilMs).toISOString()} is longer than ${MAX_RANGE_MS / 86_400_000} days: ask for a part of it, or for a pinned revision`,
  );
}

export function isTooLong({ fromMs, untilMs }: TimeRange): boolean {
  return untilMs - fromMs > MAX_RANGE_MS;
}

/** The whole minutes that hold `range`: transactions are counted per minute, so figures beside theirs must cover the same minutes. */
export function wholeMinutes(range: TimeRange): TimeRange {
  return { fromMs: Math.floor(range.fromMs / 60_000) * 60_000, untilMs: Math.ceil(range.untilMs / 60_000) * 60_000 };
}

/** The part two ranges share; `undefined` if none. */
export function overlap(a: TimeRange, b: TimeRange): TimeRange | undefined {
  const fromMs = Math.max(a.fromMs, b.fromMs);
  const untilMs = Math.min(a.untilMs, b.untilMs);
  return fromMs < untilMs ? { fromMs, untilMs } : undefined;
}

export function isSameRange(a: TimeRange, b: TimeRange): boolean {
  return a.fromMs === b.fromMs && a.untilMs === b.untilMs;
}
