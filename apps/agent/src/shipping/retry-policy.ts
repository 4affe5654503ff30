import type { DurationMs, EpochMs } from '@hearth/profile-model';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** A server that asks for more is asked again after this: the buffer holds ten minutes. */
const LONGEST_RETRY_AFTER_MS = 5 * 60_000;

/**
 * How long to wait after `failures` failures in a row: anything from 1 s to a limit that doubles up to 60 s ("full jitter"), so that
 * many processes do not come back at once. What the server asked for comes before that: it may have asked all of them for the same.
 *
 * @param random - In [0, 1).
 */
export function retryDelayMs(failures: number, retryAfterMs: DurationMs | undefined, random: number): DurationMs {
  const limitMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.round(Math.max(FIRST_MS, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)) + random * (limitMs - FIRST_MS));
}

/** After an answer that only a person can change, as a refused key. */
export function slowRetryDelayMs(random: number): DurationMs {
  return Math.round(LONGEST_MS * (0.75 + random / 2));
}

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3). `undefined` for anything else. */
export function parseRetryAfter(header: string | undefined, nowMs: EpochMs): DurationMs | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
