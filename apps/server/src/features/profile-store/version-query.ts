import type { EpochMs } from '@hearth/profile-model';
import { LEVELS, PINNED_TABLE } from './level.js';
import type { StoredQuery } from './stored-query.js';
import { DAY_MS, HOUR_MS, windowStart } from './window.js';

const UNBUILT = 'sequence - built_sequence';
const IS_PENDING = 'sequence > built_sequence';

/**
 * Asks for a text that changes when a profile arrives in one of the minutes, and not when it is built: how many have arrived. Whole days and
 * hours are asked for what they hold, and the levels below for what has not come up to them yet.
 */
export function versionQuery(query: Omit<StoredQuery, 'processIds' | 'labelSetIds'>): { text: string; values: unknown[] } {
  const [fromMs, untilMs] = [windowStart(query.fromMs), query.untilMs];
  const days = innerWindows(fromMs, untilMs, DAY_MS);
  const hours = innerWindows(fromMs, untilMs, HOUR_MS);
  const { minute, hour, day } = LEVELS;
  const sums = [
    // All that a range touches: it cannot cut them.
    sumOf(PINNED_TABLE, 'sequence', windowStart(fromMs, DAY_MS), untilMs),
    sumOf(day.windowTable, 'sequence', days.startMs, days.endMs),
    sumOf(hour.windowTable, 'sequence', hours.startMs, Math.min(days.startMs, hours.endMs)),
    sumOf(hour.windowTable, UNBUILT, days.startMs, days.endMs, IS_PENDING),
    sumOf(hour.windowTable, 'sequence', days.endMs, hours.endMs),
    sumOf(minute.windowTable, 'sequence', fromMs, Math.min(hours.startMs, untilMs)),
    sumOf(minute.windowTable, UNBUILT, hours.startMs, hours.endMs, IS_PENDING),
    sumOf(minute.windowTable, 'sequence', hours.endMs, untilMs),
  ];
  return {
    text: `SELECT (${sums.join(' + ')})::text AS version`,
    values: [query.serviceId, query.profileTypeId, query.environmentIds ?? null, query.revisionIds ?? null],
  };
}

function sumOf(table: string, of: string, startMs: EpochMs, endMs: EpochMs, where = 'true'): string {
  return `coalesce((SELECT sum(${of}) FROM ${table} WHERE service_id = $1 AND profile_type_id = $2 AND window_start_ms >= ${startMs} AND window_start_ms < ${endMs}
    AND ($3::bigint[] IS NULL OR environment_id = ANY ($3)) AND ($4::bigint[] IS NULL OR revision_id = ANY ($4)) AND ${where}), 0)`;
}

/** The whole windows within a range; none: an empty range. */
function innerWindows(fromMs: EpochMs, untilMs: EpochMs, windowMs: number): { startMs: EpochMs; endMs: EpochMs } {
  const startMs = windowStart(fromMs + windowMs - 1, windowMs);
  return { startMs, endMs: Math.max(startMs, windowStart(untilMs, windowMs)) };
}
