import type { ScopedSamples } from './scoped-samples.js';

/** What of a period was not sampled. */
export interface Rest {
  readonly micros: number;
  /** CPU that the thread used meanwhile. */
  readonly cpuNanos: number;
}

/**
 * Makes the samples of a part of a period stand for all of it: time and CPU of the rest are divided among them as those of the part are. Their sums
 * are then what they would have been; the counts stay those of the samples that were taken.
 *
 * @param sampledMicros - Length of the part.
 * @returns CPU that nobody could take, because no sample of the part was busy.
 */
export function spreadOverPeriod(rows: readonly ScopedSamples[], sampledMicros: number, rest: Rest): number {
  const wall = sampledMicros > 0 ? (sampledMicros + rest.micros) / sampledMicros : 1;
  const sampledCpuMicros = rows.reduce((sum, { cpuMicros = 0 }) => sum + cpuMicros, 0);
  const cpu = sampledCpuMicros > 0 ? (sampledCpuMicros + rest.cpuNanos / 1000) / sampledCpuMicros : 1;
  for (const row of rows) {
    row.wallMicros *= wall;
    if (row.cpuMicros !== undefined) row.cpuMicros *= cpu;
  }
  return sampledCpuMicros > 0 ? 0 : rest.cpuNanos;
}
