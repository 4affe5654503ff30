import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitUnion } from './wait-union.js';

const unionOf = (waits: readonly (readonly [number, number])[]) => {
  const union = new WaitUnion();
  for (const [startMs, endMs] of [...waits].sort((a, b) => a[1] - b[1])) union.add(startMs, endMs);
  return union.totalMs;
};
/** Counted millisecond by millisecond. */
const countedOf = (waits: readonly (readonly [number, number])[]) => {
  const covered = new Set<number>();
  for (const [startMs, endMs] of waits) for (let at = startMs; at < endMs; at += 1) covered.add(at);
  return covered.size;
};
const wait = (until: number) => fc.tuple(fc.nat(until), fc.nat(30)).map(([startMs, ms]) => [startMs, startMs + ms] as const);

describe('WaitUnion', () => {
  it('counts waits beside each other once', () => {
    expect(unionOf([])).toBe(0);
    expect(
      unionOf([
        [0, 10],
        [2, 8],
        [5, 15],
        [20, 25],
      ]),
    ).toBe(20);
    expect(
      unionOf([
        [0, 1],
        [2, 3],
        [0, 100],
      ]),
    ).toBe(100);
  });
  it('is what counting gives, for up to 32 pieces', () => {
    fc.assert(
      fc.property(fc.array(wait(300), { maxLength: 32 }), (waits) => {
        expect(unionOf(waits)).toBe(countedOf(waits));
      }),
    );
  });
  it('is never more than that, for any number', () => {
    fc.assert(
      fc.property(fc.array(wait(20_000), { minLength: 100, maxLength: 400 }), (waits) => {
        const [union, counted] = [unionOf(waits), countedOf(waits)];
        expect(union).toBeLessThanOrEqual(counted);
        expect(union).toBeGreaterThanOrEqual(counted * 0.9);
      }),
      { numRuns: 50 },
    );
  });
  it('is exact again for a wait around everything before it', () => {
    const short = Array.from({ length: 500 }, (_, at) => [at * 10, at * 10 + 1] as const);
    expect(unionOf(short)).toBe(500);
    expect(unionOf([...short, [0, 5_000]])).toBe(5_000);
  });
});
