import type { DurationMs, EpochMs } from '@hearth/profile-model';

/** Length of a window. */
export const WINDOW_MS: DurationMs = 60_000;

/** The window that holds `at` begins here. Windows are aligned to the epoch. */
export function windowStart(at: EpochMs): EpochMs {
  return Math.floor(at / WINDOW_MS) * WINDOW_MS;
}

/** One minute of one profile type of one revision in one environment. */
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

/** The five columns of every key, in their order. */
export function keyParameters(key: WindowKey): number[] {
  return [key.serviceId, key.profileTypeId, key.windowStartMs, key.revisionId, key.environmentId];
}
