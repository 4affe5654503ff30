import { describe, expect, it } from 'vitest';
import { boundedRange, MAX_RANGE_MS, overlap, parseRange, wholeMinutes } from './time-range.js';

const NOW = Date.UTC(2026, 10, 20, 12);

describe('parseRange', () => {
  it('accepts one millisecond and refuses none', () => {
    expect(parseRange('5', '6', NOW)).toEqual({ fromMs: 5, untilMs: 6 });
    expect(() => parseRange('6', '6', NOW)).toThrow(expect.objectContaining({ code: 'RANGE_EMPTY' }));
    expect(() => parseRange('now', 'now-1h', NOW)).toThrow(expect.objectContaining({ code: 'RANGE_EMPTY' }));
  });
});

describe('boundedRange', () => {
  const longest = { fromMs: 0, untilMs: MAX_RANGE_MS };
  const tooLong = { fromMs: 0, untilMs: MAX_RANGE_MS + 1 };

  it('accepts the longest range and refuses one millisecond more', () => {
    expect(boundedRange(longest, undefined)).toEqual(longest);
    expect(() => boundedRange(tooLong, undefined)).toThrow(expect.objectContaining({ code: 'RANGE_TOO_LONG' }));
  });
  it('is cut to the life of a pinned revision, however long that was, only where it is too long', () => {
    expect(boundedRange(tooLong, { fromMs: 5, untilMs: 2 * MAX_RANGE_MS })).toEqual({ fromMs: 5, untilMs: MAX_RANGE_MS + 1 });
    expect(boundedRange(longest, { fromMs: 5, untilMs: 6 })).toEqual(longest);
    expect(() => boundedRange(tooLong, { fromMs: 2 * MAX_RANGE_MS, untilMs: 3 * MAX_RANGE_MS })).toThrow(
      expect.objectContaining({ code: 'RANGE_TOO_LONG' }),
    );
  });
});

describe('wholeMinutes', () => {
  it('grows outwards and leaves whole minutes alone', () => {
    expect(wholeMinutes({ fromMs: 61_000, untilMs: 119_999 })).toEqual({ fromMs: 60_000, untilMs: 120_000 });
    expect(wholeMinutes({ fromMs: 60_000, untilMs: 120_000 })).toEqual({ fromMs: 60_000, untilMs: 120_000 });
  });
});

describe('overlap', () => {
  it('finds nothing where one range ends as the other begins', () => {
    expect(overlap({ fromMs: 0, untilMs: 5 }, { fromMs: 5, untilMs: 9 })).toBeUndefined();
    expect(overlap({ fromMs: 0, untilMs: 6 }, { fromMs: 5, untilMs: 9 })).toEqual({ fromMs: 5, untilMs: 6 });
  });
});
