import { describe, expect, it } from 'vitest';
import type { ScopedSamples } from './scoped-samples.js';
import { NOTHING_SPENT, addSpent, spreadOverPeriod } from './spread-over-period.js';

const row = (wallMicros: number, cpuMicros: number | undefined): ScopedSamples => ({
  stackRow: 0,
  scope: undefined,
  count: 3,
  wallMicros,
  cpuMicros,
});

describe('spreadOverPeriod', () => {
  it('gives time and CPU of the whole period to what was sampled, in proportion, and counts nothing that was not taken', () => {
    const rows = [row(100_000, 80_000), row(50_000, 20_000), row(350_000, undefined)];
    expect(spreadOverPeriod(rows, { micros: 2_000_000, cpuNanos: 600_000_000 })).toEqual(NOTHING_SPENT);
    expect(rows.map(({ wallMicros, cpuMicros, count }) => [wallMicros, cpuMicros, count])).toEqual([
      [400_000, 480_000, 3],
      [200_000, 120_000, 3],
      [1_400_000, undefined, 3],
    ]);
  });

  it('gives the CPU to busy samples alike that do not tell theirs', () => {
    const rows = [row(10_000, 0), row(10_000, undefined), row(10_000, 0)];
    expect(spreadOverPeriod(rows, { micros: 30_000, cpuNanos: 8_000_000 })).toEqual(NOTHING_SPENT);
    expect(rows.map(({ cpuMicros }) => cpuMicros)).toEqual([4_000, undefined, 4_000]);
  });

  it('keeps what nothing can take for the next period: CPU without a busy sample, time without any', () => {
    const idle = spreadOverPeriod([row(500_000, undefined)], { micros: 1_000_000, cpuNanos: 7_000 });
    expect(idle).toEqual({ micros: 0, cpuNanos: 7_000 });
    const short = spreadOverPeriod([], addSpent(idle, { micros: 5_000, cpuNanos: 9_000 }));
    expect(short).toEqual({ micros: 5_000, cpuNanos: 16_000 });
    const rows = [row(10_000, 10_000)];
    expect(spreadOverPeriod(rows, addSpent(short, { micros: 9_000, cpuNanos: 4_000_000 }))).toEqual(NOTHING_SPENT);
    expect(rows[0]).toMatchObject({ wallMicros: 14_000, cpuMicros: 4_016 });
  });
});
