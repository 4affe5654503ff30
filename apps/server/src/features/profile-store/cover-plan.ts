import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import { LEVELS, type LevelName } from './level.js';
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from './window.js';

/** An hour or day of one revision in one environment, of the service and type that are asked about. */
export interface UpperWindow {
  readonly windowStartMs: EpochMs;
  readonly revisionId: number;
  readonly environmentId: number;
}
export interface UpperWindowState extends UpperWindow {
  /** `pinned`: a day of a pinned revision that was kept when it was past; what came later has windows of its own. Always current and sealed. */
  readonly level: 'hour' | 'day' | 'pinned';
  /** Its segment holds everything that the level below had built. */
  readonly isCurrent: boolean;
  readonly isSealed: boolean;
}

/** Which stored segments answer a question together: each profile is in one of them, or in a block that no minute holds yet. */
export interface CoverPlan {
  /** What is really answered: wider than asked where what would cut it has expired. */
  readonly range: TimeRange;
  /** Days that were kept for pinned revisions. */
  readonly pinned: readonly UpperWindow[];
  readonly days: readonly UpperWindow[];
  readonly hours: readonly UpperWindow[];
  /** Hours whose minutes count. */
  readonly hoursOfMinutes: readonly UpperWindow[];
  /** The longest window among them. */
  readonly longestMs: DurationMs;
}

/**
 * Chooses the fewest segments.
 *
 * An upper window that is current stands for everything below it. One that is not leaves the answer to what is below it; unless it is sealed:
 * then what it holds is nowhere else, and what is below came later and counts too.
 *
 * @param states - Of all days that touch the range, and of all their hours.
 * @param coarsest - The longest windows that may stand for their profiles where there is a choice.
 */
export function planCover(states: readonly UpperWindowState[], asked: TimeRange, coarsest: LevelName): CoverPlan {
  const range = widened(
    states.filter(({ isSealed }) => isSealed),
    asked,
  );
  const plan = { range, days: [] as UpperWindow[], hours: [] as UpperWindow[], hoursOfMinutes: [] as UpperWindow[] };
  const isWhole = ({ windowStartMs }: UpperWindow, windowMs: DurationMs) =>
    windowStartMs >= range.fromMs && windowStartMs + windowMs <= range.untilMs;
  const addHour = (hour: UpperWindowState) => {
    if (hour.windowStartMs + HOUR_MS <= range.fromMs || hour.windowStartMs >= range.untilMs) return;
    const mayStand = coarsest !== 'minute' && hour.isCurrent && isWhole(hour, HOUR_MS);
    if (hour.isSealed || mayStand) plan.hours.push(hour);
    if (hour.isSealed || !mayStand) plan.hoursOfMinutes.push(hour);
  };
  for (const { day, hours } of byDay(states)) {
    const isInRange = day !== undefined && isWhole(day, DAY_MS);
    const mayStand = isInRange && coarsest === 'day' && day.isCurrent && hours.every((hour) => hour.isCurrent);
    if (isInRange && (day.isSealed || mayStand)) plan.days.push(day);
    if (day?.isSealed || !mayStand) for (const hour of hours) addHour(hour);
  }
  const pinned = states.filter((state) => state.level === 'pinned' && isWhole(state, DAY_MS));
  const longestMs = plan.days.length + pinned.length > 0 ? DAY_MS : plan.hours.length > 0 ? HOUR_MS : WINDOW_MS;
  return { ...plan, pinned, longestMs };
}

/** An hour or day that stands for everything below it, of any type, revision and environment. */
type SealedWindow = Pick<UpperWindowState, 'level' | 'windowStartMs'>;

/**
 * How finely a range can be told apart, whatever is asked about it.
 *
 * @param sealed - Of each level at least the first and the last sealed window that touch the range.
 */
export function resolutionOf(sealed: readonly SealedWindow[], asked: TimeRange): Pick<CoverPlan, 'range' | 'longestMs'> {
  const longestMs = Math.max(WINDOW_MS, ...sealed.map(({ level }) => windowMsOf(level)));
  return { range: widened(sealed, asked), longestMs };
}

function windowMsOf(level: UpperWindowState['level']): DurationMs {
  return LEVELS[level === 'pinned' ? 'day' : level].windowMs;
}

/** A sealed window cannot be cut, so an end that lies within one moves to its edge. */
function widened(sealed: readonly SealedWindow[], { fromMs, untilMs }: TimeRange): TimeRange {
  const range = { fromMs, untilMs };
  for (const { level, windowStartMs } of sealed) {
    const windowMs = windowMsOf(level);
    if (windowStartMs === windowStart(fromMs, windowMs)) range.fromMs = Math.min(range.fromMs, windowStartMs);
    if (windowStartMs === windowStart(untilMs - 1, windowMs)) range.untilMs = Math.max(range.untilMs, windowStartMs + windowMs);
  }
  return range;
}

interface DayOfPlan {
  readonly day: UpperWindowState | undefined;
  readonly hours: readonly UpperWindowState[];
}

function byDay(states: readonly UpperWindowState[]): DayOfPlan[] {
  const found = new Map<string, { day: UpperWindowState | undefined; hours: UpperWindowState[] }>();
  for (const state of states) {
    const key = `${windowStart(state.windowStartMs, DAY_MS)}.${state.revisionId}.${state.environmentId}`;
    let of = found.get(key);
    if (of === undefined) found.set(key, (of = { day: undefined, hours: [] }));
    if (state.level === 'day') of.day = state;
    if (state.level === 'hour') of.hours.push(state);
  }
  return [...found.values()];
}
