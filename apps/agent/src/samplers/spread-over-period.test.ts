import { describe, expect, it } from 'vitest';
import type { ScopedSamples } from './scoped-samples.js';
import { spreadOverPeriod } from './spread-over-period.js';

const row = (wallMicros: number, cpuMicros: number | undefined): ScopedSamples => ({
  stackRow: 0,
  scope: undefined,
  count: 3,
  wallMicros,
  cpuMicros,
});

describe('spreadOverPeriod', () => {
  it('gives time and CPU of the rest to what was sampled, in proportion, and counts nothing that was not taken', () => {
    const rows = [row(100_000, 80_000), row(50_000, 20_000), row(350_000, undefined)];
    expect(spreadOverPeriod(rows, 500_000, { micros: 1_500_000, cpuNanos: 500_000_000 })).toBe(0);
    expect(rows.map(({ wallMicros, cpuMicros, count }) => [wallMicros, cpuMicros, count])).toEqual([
      [400_000, 480_000, 3],
      [200_000, 120_000, 3],
      [1_400_000, undefined, 3],
    ]);
  });

  it('keeps CPU that no busy sample can take', () => {
    expect(spreadOverPeriod([row(500_000, undefined)], 500_000, { micros: 500_000, cpuNanos: 7_000 })).toBe(7_000);
    expect(spreadOverPeriod([], 0, { micros: 1_000_000, cpuNanos: 9_000 })).toBe(9_000);
  });
});
