import type { DurationMs, TimeRange } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';

const MINUTE_MS: DurationMs = 60_000;
/** Widths a reader can name. Each is a whole number of flushes (10 s), and from a minute on of minute segments. */
const STEPS_MS: readonly DurationMs[] = [
  10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];
/** About one step for each eight pixels of a wide chart. */
const WANTED_STEPS = 120;
/** Only a range up to this is cut finer than minutes: it takes reading every flush, where a minute has its sum at hand. */
const FLUSH_STEPS_UP_TO_MS = 1_800_000;
/** What one answer may hold; a finer look is a shorter range. */
export const MAX_STEPS = 2000;

/** The narrowest nice step that cuts `range` into at most 120, of whole windows where those are longer than a minute. */
export function chooseStepMs(range: TimeRange, windowMs: DurationMs = MINUTE_MS): DurationMs {
  const length = range.untilMs - range.fromMs;
  const finestMs = length <= FLUSH_STEPS_UP_TO_MS && windowMs === MINUTE_MS ? 0 : windowMs;
  return STEPS_MS.find((stepMs) => stepMs >= finestMs && length / stepMs <= WANTED_STEPS) ?? STEPS_MS.at(-1)!;
}

/**
 * The step that was asked for, or a nice one. Where values are only known for longer windows, it is a whole number of those.
 *
 * @throws {HearthError} `STEP_TOO_SMALL`, `STEP_UNEVEN`
 */
export function resolveStepMs(range: TimeRange, asked: DurationMs | undefined, windowMs: DurationMs = MINUTE_MS): DurationMs {
  if (asked === undefined) return chooseStepMs(range, windowMs);
  const length = range.untilMs - range.fromMs;
  if (length / asked > MAX_STEPS) {
    throw new HearthError(
      'STEP_TOO_SMALL',
      `${asked} ms cuts the range into more than ${MAX_STEPS} steps: ask for at least ${Math.ceil(length / MAX_STEPS)} ms`,
    );
  }
  if (asked % (asked < 60_000 ? 10_000 : 60_000) !== 0) {
    throw new HearthError(
      'STEP_UNEVEN',
      `${asked} ms is no whole number of ${asked < 60_000 ? 'flushes (10,000 ms)' : 'minutes (60,000 ms)'}`,
    );
  }
  return windowMs === MINUTE_MS ? asked : Math.ceil(asked / windowMs) * windowMs;
}

/** Starts of the steps that hold `range`, aligned to the epoch. The first and last may reach beyond it. */
export function stepStarts(range: TimeRange, stepMs: DurationMs): number[] {
  const first = Math.floor(range.fromMs / stepMs) * stepMs;
  return Array.from({ length: Math.ceil((range.untilMs - first) / stepMs) }, (_, step) => first + step * stepMs);
}

/** Most series of one answer: more cannot be told apart. */
export const MAX_SERIES = 20;
export const OTHER_SERIES = '(other)';

export interface Series {
  readonly key: string;
  readonly values: readonly number[];
}

/** The largest series, largest first, and the sum of all others as one, so that no value is lost. */
export function largestSeries(series: readonly Series[], maxSeries = MAX_SERIES): Series[] {
  const sums = new Map(series.map((one) => [one, one.values.reduce((sum, value) => sum + value, 0)]));
  const sorted = [...series].sort((a, b) => sums.get(b)! - sums.get(a)! || (a.key < b.key ? -1 : 1));
  if (sorted.length <= maxSeries) return sorted;
  const rest = sorted.slice(maxSeries - 1);
  const values = rest[0]!.values.map((_, step) => rest.reduce((sum, one) => sum + one.values[step]!, 0));
  return [...sorted.slice(0, maxSeries - 1), { key: OTHER_SERIES, values }];
}
