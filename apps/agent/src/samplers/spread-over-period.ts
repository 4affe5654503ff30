import type { ScopedSamples } from './scoped-samples.js';

/** Time of the thread, and the CPU that it used in it. */
export interface Spent {
  readonly micros: number;
  readonly cpuNanos: number;
}

export const NOTHING_SPENT: Spent = { micros: 0, cpuNanos: 0 };

export const addSpent = (one: Spent, other: Spent): Spent => ({
  micros: one.micros + other.micros,
  cpuNanos: one.cpuNanos + other.cpuNanos,
});

/**
 * Makes the samples of a part of a period stand for all of it: rows are scaled so that their sums are its time and its CPU. Counts stay
 * those of the samples that were taken.
 *
 * @param whole - Of the period.
 * @returns What no row could take: time where nothing was sampled, CPU where no sample was busy.
 */
export function spreadOverPeriod(rows: readonly ScopedSamples[], whole: Spent): Spent {
  let [wallMicros, cpuMicros, busyCount] = [0, 0, 0];
  for (const row of rows) {
    wallMicros += row.wallMicros;
    if (row.cpuMicros === undefined) continue;
    cpuMicros += row.cpuMicros;
    busyCount += row.count;
  }
  const wholeCpuMicros = whole.cpuNanos / 1000;
  for (const row of rows) {
    if (wallMicros > 0) row.wallMicros *= whole.micros / wallMicros;
    if (row.cpuMicros === undefined) continue;
    if (cpuMicros > 0) row.cpuMicros *= wholeCpuMicros / cpuMicros;
    else if (busyCount > 0) row.cpuMicros = (wholeCpuMicros * row.count) / busyCount; // a first sample need not tell
  }
  return { micros: wallMicros > 0 ? 0 : whole.micros, cpuNanos: cpuMicros > 0 || busyCount > 0 ? 0 : whole.cpuNanos };
}
