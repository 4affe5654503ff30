import { describe, expect, it } from 'vitest';
import { MAX_RANGE_MS, overlap, resolveRange, wholeMinutes } from './time-range.js';

const NOW = Date.UTC(2026, 10, 20, 12);

describe('resolveRange', () => {
  it('accepts the longest range and refuses one millisecond more', () => {
    expect(resolveRange('0', String(MAX_RANGE_MS), NOW)).toEqual({ fromMs: 0, untilMs: MAX_RANGE_MS });
    expect(() => resolveRange('0', String(MAX_RANGE_MS + 1), NOW)).toThrow(expect.objectContaining({ code: 'RANGE_TOO_LONG' }));
  });
  it('accepts one millisecond and refuses none', () => {
    expect(resolveRange('5', '6', NOW)).toEqual({ fromMs: 5, untilMs: 6 });
    expect(() => resolveRange('6', '6', NOW)).toThrow(expect.objectContaining({ code: 'RANGE_EMPTY' }));
    expect(() => resolveRange('now', 'now-1h', NOW)).toThrow(expect.objectContaining({ code: 'RANGE_EMPTY' }));
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
