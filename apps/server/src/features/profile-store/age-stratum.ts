import type { DurationMs } from '@hearth/profile-model';

const MINUTE_MS: DurationMs = 60_000;
/** What a process does in its first minutes (loading, compiling, filling caches) is not what it does later. */
const STRATUM_ENDS_MS: readonly DurationMs[] = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];

/** Of how old a process is: 0 to 1 minute, 1 to 5, 5 to 15, older. Releases are compared like with like. */
export type AgeStratum = 0 | 1 | 2 | 3;

/** A clock that is behind makes a process younger than new: that counts as new. */
export function ageStratum(ageMs: DurationMs): AgeStratum {
  const stratum = STRATUM_ENDS_MS.findIndex((endMs) => ageMs < endMs);
  return (stratum < 0 ? STRATUM_ENDS_MS.length : stratum) as AgeStratum;
}
