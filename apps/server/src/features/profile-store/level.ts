import type { DurationMs } from '@hearth/profile-model';
import { DAY_MS, HOUR_MS, WINDOW_MS } from './window.js';

export type LevelName = 'minute' | 'hour' | 'day';

/** One grain of merged profiles: its windows, and the tables that hold them. All keys are those of `WindowKey`. */
export interface Level {
  readonly name: LevelName;
  readonly windowMs: DurationMs;
  /** State of the windows. */
  readonly windowTable: string;
  /** Merged over processes. */
  readonly totalsTable: string;
  /** Kept apart by process; of minutes also by flush, of hours and days by the age of the process. */
  readonly detailTable: string;
  /** Of all its tables but `release_totals`, so that what expires together lies together. */
  readonly partitionMs: DurationMs;
}

/** A level that is merged from the one below it. */
export interface UpperLevel extends Level {
  readonly name: 'hour' | 'day';
  readonly below: Level;
}

const minute: Level = {
  name: 'minute',
  windowMs: WINDOW_MS,
  windowTable: 'profile_window',
  totalsTable: 'segment',
  detailTable: 'segment',
  partitionMs: DAY_MS,
};
const hour: UpperLevel = {
  name: 'hour',
  below: minute,
  windowMs: HOUR_MS,
  windowTable: 'hour_window',
  totalsTable: 'hour_segment',
  detailTable: 'hour_segment',
  partitionMs: 28 * DAY_MS,
};
/** Its two tables: totals of all processes, and detail, which may go before them. */
const day: UpperLevel = {
  name: 'day',
  below: hour,
  windowMs: DAY_MS,
  windowTable: 'day_window',
  totalsTable: 'day_totals',
  detailTable: 'release_totals',
  partitionMs: 364 * DAY_MS,
};

/** Detail of days of pinned revisions that are past, over stacks of their own (docs/storage.md). Its key is that of days. */
export const PINNED_TABLE = 'pinned_totals';

export const LEVELS = { minute, hour, day } as const;
