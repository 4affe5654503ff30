import { describe, expect, it } from 'vitest';
import { epochOf, epochRange } from './epoch.js';

describe('epochOf', () => {
  it('counts the months of UTC from January 1970', () => {
    expect([0, Date.UTC(1970, 1, 1) - 1, Date.UTC(1970, 1, 1)].map(epochOf)).toEqual([0, 0, 1]);
    expect(epochOf(Date.UTC(2026, 0, 1)) - epochOf(Date.UTC(2026, 0, 1) - 1)).toBe(1);
    expect(epochOf(Date.UTC(2025, 11, 31, 23, 59))).toBe(55 * 12 + 11);
  });

  it('names the range of a month, leap days and turns of the year included', () => {
    for (const at of [0, Date.UTC(2024, 1, 29), Date.UTC(2025, 11, 1), Date.UTC(2026, 0, 31)]) {
      const { fromMs, untilMs } = epochRange(epochOf(at));
      expect([fromMs, untilMs - 1].map(epochOf)).toEqual([epochOf(at), epochOf(at)]);
      expect([fromMs - 1, untilMs].map(epochOf)).toEqual(
        [epochOf(at) - 1, epochOf(at) + 1].map((epoch) => (epoch < 0 ? -1 : epoch)),
      );
    }
  });
});
