import { describe, expect, it } from 'vitest';
import { parseRetryAfter, retryDelayMs, slowRetryDelayMs } from './retry-policy.js';

describe('retryDelayMs', () => {
  it('doubles its limit from 2 s to 60 s, and is anything from 1 s to it', () => {
    expect([1, 2, 3, 6, 7, 1000].map((failures) => retryDelayMs(failures, undefined, 1))).toEqual([
      2_000, 4_000, 8_000, 60_000, 60_000, 60_000,
    ]);
    expect([1, 7].map((failures) => retryDelayMs(failures, undefined, 0))).toEqual([1_000, 1_000]);
  });

  it('waits as long as the server asks for, up to five minutes, and at random longer: others were asked for the same', () => {
    expect([0, 1].map((random) => retryDelayMs(1, 30_000, random))).toEqual([30_000, 31_000]);
    expect(retryDelayMs(7, 500, 1)).toBe(60_000);
    expect(retryDelayMs(1, 86_400_000, 0)).toBe(300_000);
  });

  it('is slow where only a person can help', () => {
    expect([slowRetryDelayMs(0), slowRetryDelayMs(1)]).toEqual([45_000, 75_000]);
  });
});

it('parseRetryAfter reads seconds and dates, and nothing else', () => {
  const nowMs = Date.parse('2026-11-20T12:00:00Z');
  expect(parseRetryAfter('7', nowMs)).toBe(7_000);
  expect(parseRetryAfter('Fri, 20 Nov 2026 12:00:30 GMT', nowMs)).toBe(30_000);
  expect(parseRetryAfter('Fri, 20 Nov 2026 11:00:00 GMT', nowMs)).toBe(0);
  for (const header of [undefined, '', ' ', 'soon', '-']) expect(parseRetryAfter(header, nowMs)).toBeUndefined();
});
