import { describe, expect, it } from 'vitest';
import { MAX_RANGE_MS, overlap, parseTime, resolveRange, wholeMinutes } from './time-range.js';

const NOW = Date.UTC(2026, 10, 20, 12);

describe('parseTime', () => {
  it('counts back from now in each unit', () => {
    expect(['now', 'now-1s', 'now-15m', 'now-1h', 'now-2d'].map((text) => NOW - parseTime(text, NOW))).toEqual([
      0, 1000, 900_000, 3_600_000, 172_800_000,
    ]);
  });
  it('reads milliseconds and RFC 3339 alike', () => {
    expect(parseTime(String(NOW), 0)).toBe(NOW);
    expect(parseTime('2026-11-20T12:00:00Z', 0)).toBe(NOW);
    expect(parseTime('2026-11-20T13:00:00.000+01:00', 0)).toBe(NOW);
  });
  it.each(['2026-13-40T99:99:99Z', '9999999999999999', 'now-999999d', '2026-11-20T......Z'])('refuses %s', (text) => {
    expect(() => parseTime(text, NOW)).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
  });
});

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
