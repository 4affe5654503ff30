import type { DurationMs, EpochMs } from '@hearth/profile-model';

/** Length of a window of the lowest level, into which profiles fall. */
export const WINDOW_MS: DurationMs = 60_000;
export const HOUR_MS: DurationMs = 60 * WINDOW_MS;
export const DAY_MS: DurationMs = 24 * HOUR_MS;

/** The window that holds `at` begins here. Windows are aligned to the epoch. */
export function windowStart(at: EpochMs, windowMs: DurationMs = WINDOW_MS): EpochMs {
  return Math.floor(at / windowMs) * windowMs;
}

/** One window of one profile type of one revision in one environment; how long it is, its level says. */
export interface WindowKey {
  readonly serviceId: number;
  readonly profileTypeId: number;
  readonly windowStartMs: EpochMs;
  readonly revisionId: number;
  readonly environmentId: number;
}

export function windowText({ serviceId, profileTypeId, windowStartMs, revisionId, environmentId }: WindowKey): string {
  return [serviceId, profileTypeId, windowStartMs, revisionId, environmentId].join('.');
}

/** The window of length `windowMs` that holds that of `key`. */
export function keyAt(key: WindowKey, windowMs: DurationMs): WindowKey {
  return { ...key, windowStartMs: windowStart(key.windowStartMs, windowMs) };
}

/** The five columns of every key, in their order. */
export function keyParameters(key: WindowKey): number[] {
  return [key.serviceId, key.profileTypeId, key.windowStartMs, key.revisionId, key.environmentId];
}

/** As `keyParameters` are numbered. */
export const KEY_COLUMNS = 'service_id, profile_type_id, window_start_ms, revision_id, environment_id';
export const KEY_AS_FIELDS =
  'service_id AS "serviceId", profile_type_id AS "profileTypeId", window_start_ms AS "windowStartMs", revision_id AS "revisionId", environment_id AS "environmentId"';
export const IS_KEY =
  'service_id = $1 AND profile_type_id = $2 AND window_start_ms = $3 AND revision_id = $4 AND environment_id = $5';
/** Windows of lower levels that lie within the one of `keyParameters`, which is `windowMs` long. */
export function isWithin({ windowMs }: { readonly windowMs: DurationMs }): string {
  return `service_id = $1 AND profile_type_id = $2 AND window_start_ms >= $3 AND window_start_ms < $3 + ${windowMs} AND revision_id = $4 AND environment_id = $5`;
}

/** Condition: no row of `table` begins within [startMs, endMs), or none of which `where` is true. */
export function hasNone(table: string, startMs: EpochMs, endMs: EpochMs, where = 'true'): string {
  return `NOT EXISTS (SELECT FROM ${table} WHERE window_start_ms >= ${startMs} AND window_start_ms < ${endMs} AND (${where}))`;
}
