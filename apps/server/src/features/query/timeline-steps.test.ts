import { describe, expect, it } from 'vitest';
import { MAX_STEPS, chooseStepMs, largestSeries, resolveStepMs, stepStarts } from './timeline-steps.js';

const range = (lengthMs: number) => ({ fromMs: 0, untilMs: lengthMs });

describe('chooseStepMs', () => {
  it('takes flushes for minutes, minutes for hours, half days for a month', () => {
    expect(chooseStepMs(range(900_000))).toBe(10_000);
    expect(chooseStepMs(range(1_800_000))).toBe(30_000);
    expect(chooseStepMs(range(1_800_001))).toBe(60_000);
    expect(chooseStepMs(range(7_200_000))).toBe(60_000);
    expect(chooseStepMs(range(31 * 86_400_000))).toBe(43_200_000);
  });
});

describe('resolveStepMs', () => {
  it('accepts the most steps and refuses one more', () => {
    expect(resolveStepMs(range(MAX_STEPS * 10_000), 10_000)).toBe(10_000);
    expect(() => resolveStepMs(range(MAX_STEPS * 10_000 + 1), 10_000)).toThrow(
      expect.objectContaining({ code: 'STEP_TOO_SMALL' }),
    );
  });
  it('refuses a step that cuts a segment', () => {
    expect(() => resolveStepMs(range(600_000), 61_000)).toThrow(expect.objectContaining({ code: 'STEP_UNEVEN' }));
  });
});

describe('a range that is only known by the hour or day', () => {
  it('is cut into whole windows, chosen or asked for', () => {
    const [hour, day] = [3_600_000, 86_400_000];
    expect(chooseStepMs(range(900_000), hour)).toBe(hour);
    expect(chooseStepMs(range(7 * day), hour)).toBe(2 * hour);
    expect(chooseStepMs(range(7 * day), day)).toBe(day);
    expect(resolveStepMs(range(hour), 60_000, hour)).toBe(hour);
    expect(resolveStepMs(range(day), 90 * 60_000, hour)).toBe(2 * hour);
    expect(resolveStepMs(range(day), 60_000, 60_000)).toBe(60_000);
  });
});

describe('stepStarts', () => {
  it('aligns to the epoch and covers both ends', () => {
    expect(stepStarts({ fromMs: 65_000, untilMs: 180_000 }, 60_000)).toEqual([60_000, 120_000]);
    expect(stepStarts({ fromMs: 60_000, untilMs: 180_001 }, 60_000)).toEqual([60_000, 120_000, 180_000]);
  });
});

describe('largestSeries', () => {
  it('sums what is too much into one series and loses nothing', () => {
    const series = [
      { key: 'a', values: [1, 0] },
      { key: 'b', values: [5, 5] },
      { key: 'c', values: [2, 0] },
    ];
    expect(largestSeries(series, 2)).toEqual([
      { key: 'b', values: [5, 5] },
      { key: '(other)', values: [3, 0] },
    ]);
  });
});
