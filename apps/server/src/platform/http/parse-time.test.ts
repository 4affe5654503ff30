import { describe, expect, it } from 'vitest';
import { parseTime } from './parse-time.js';

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
