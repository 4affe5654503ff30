import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { HearthError } from './hearth-error.js';

/** Last instant a `Date` can show. Later milliseconds are a mistake, and would break every answer that prints them. */
const MAX_EPOCH_MS: EpochMs = 8.64e15;

const UNIT_MS: Readonly<Record<string, DurationMs>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The instant that `text` names, in whole milliseconds.
 *
 * @param text - `now`, `now-15m` (s, m, h, d), milliseconds since the epoch, or RFC 3339.
 * @throws {HearthError} `TIME_INVALID`
 */
export function parseTime(text: string, nowMs: EpochMs): EpochMs {
  const relative = /^now(?:-(\d{1,6})([smhd]))?$/.exec(text);
  let at: number;
  if (relative) at = nowMs - Number(relative[1] ?? 0) * (UNIT_MS[relative[2] ?? 's'] ?? 0);
  else if (/^\d{1,16}$/.test(text)) at = Number(text);
  else at = Date.parse(text);
  if (!(at >= 0 && at <= MAX_EPOCH_MS)) {
    throw new HearthError(
      'TIME_INVALID',
      `"${text.slice(0, 40)}" is not a time: send now, now-1h, milliseconds since the epoch, or RFC 3339`,
    );
  }
  return at;
}
