import { describe, expect, it } from 'vitest';
import { planCover, resolutionOf, type UpperWindowState } from './cover-plan.js';
import { DAY_MS, HOUR_MS, WINDOW_MS } from './window.js';

const DAY = 20_000 * DAY_MS;
const window = (level: 'hour' | 'day', windowStartMs: number, flags = ''): UpperWindowState => ({
  level,
  windowStartMs,
  revisionId: 1,
  environmentId: 1,
  isCurrent: !flags.includes('stale'),
  isSealed: flags.includes('sealed'),
});
const hours = (count: number, flags = '') =>
  Array.from({ length: count }, (_, hour) => window('hour', DAY + hour * HOUR_MS, flags));
const WHOLE_DAY = { fromMs: DAY, untilMs: DAY + DAY_MS };
const starts = (windows: readonly { readonly windowStartMs: number }[]) => windows.map(({ windowStartMs }) => windowStartMs);

describe('planCover', () => {
  it('takes a day alone while it holds all of its hours', () => {
    const plan = planCover([window('day', DAY), ...hours(24)], WHOLE_DAY, 'day');
    expect(plan).toMatchObject({ days: [window('day', DAY)], hours: [], hoursOfMinutes: [], longestMs: DAY_MS });
  });

  it('takes its hours where the day lacks something, or where an hour does', () => {
    expect(planCover([window('day', DAY, 'stale'), ...hours(3)], WHOLE_DAY, 'day')).toMatchObject({ days: [], hours: hours(3) });
    const states = [window('day', DAY), ...hours(2), window('hour', DAY + 5 * HOUR_MS, 'stale')];
    expect(planCover(states, WHOLE_DAY, 'day')).toMatchObject({ days: [], hours: hours(2), hoursOfMinutes: [states[3]] });
  });

  it('takes minutes at the ends of a range, and where nothing coarser may stand for them', () => {
    const range = { fromMs: DAY + 10 * WINDOW_MS, untilMs: DAY + 2 * HOUR_MS + 1 };
    const plan = planCover(hours(3), range, 'hour');
    expect(starts(plan.hours)).toEqual([DAY + HOUR_MS]);
    expect(starts(plan.hoursOfMinutes)).toEqual([DAY, DAY + 2 * HOUR_MS]);
    expect(planCover(hours(3), range, 'minute')).toMatchObject({
      hours: [],
      hoursOfMinutes: hours(3),
      longestMs: WINDOW_MS,
      range,
    });
  });

  it('takes what is sealed whatever is asked, with what came below it since', () => {
    const states = [window('day', DAY, 'sealed stale'), window('hour', DAY, 'sealed'), window('hour', DAY + HOUR_MS)];
    const plan = planCover(states, WHOLE_DAY, 'minute');
    expect(plan).toMatchObject({
      days: [states[0]],
      hours: [states[1]],
      hoursOfMinutes: [states[1], states[2]],
      longestMs: DAY_MS,
    });
  });

  it('moves an end that would cut what is sealed, and no other', () => {
    const range = { fromMs: DAY + 1, untilMs: DAY + 90 * WINDOW_MS };
    expect(planCover(hours(2), range, 'day').range).toEqual(range);
    expect(planCover([window('hour', DAY, 'sealed'), window('hour', DAY + HOUR_MS)], range, 'day').range).toEqual({
      ...range,
      fromMs: DAY,
    });
    expect(planCover(hours(2, 'sealed'), range, 'day').range).toEqual({ fromMs: DAY, untilMs: DAY + 2 * HOUR_MS });
    expect(planCover([window('day', DAY, 'sealed')], range, 'day').range).toEqual(WHOLE_DAY);
    // An end that lies between two windows cuts neither.
    const aligned = { fromMs: DAY + HOUR_MS, untilMs: DAY + 2 * HOUR_MS };
    expect(planCover(hours(4, 'sealed'), aligned, 'day').range).toEqual(aligned);
  });
});

describe('resolutionOf', () => {
  const hour = { level: 'hour', windowStartMs: DAY + HOUR_MS } as const;
  const day = { level: 'day', windowStartMs: DAY } as const;

  it('is a minute, and the range as asked, where nothing is sealed', () => {
    const asked = { fromMs: DAY + 1, untilMs: DAY + 2 };
    expect(resolutionOf([], asked)).toEqual({ range: asked, longestMs: WINDOW_MS });
  });

  it('is the longest sealed window, and grows to the edges of those that it would cut', () => {
    const asked = { fromMs: DAY + HOUR_MS + 1, untilMs: DAY + 3 * HOUR_MS - 1 };
    expect(resolutionOf([hour, hour], asked)).toEqual({ range: { ...asked, fromMs: DAY + HOUR_MS }, longestMs: HOUR_MS });
    expect(resolutionOf([hour, day], asked)).toEqual({ range: WHOLE_DAY, longestMs: DAY_MS });
  });
});
