import { createLineProfiler, endPeriod, type NativeModule, type NativeTimeProfiler } from './native-profiler.js';
import { readLineTree } from './read-line-tree.js';
import { unseen } from './read-time-tree.js';
import type { SampledPeriod } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';
import { threadCpuNanos } from './thread-cpu.js';

/** Samples which lines run, while the profiler that knows scopes rests: one native profiler does either. Kept for the life of the thread. */
export class LineProfiler {
  readonly #profiler: NativeTimeProfiler;
  #cpuNanos = 0;
  #unsharedCpuNanos = 0;

  constructor(native: NativeModule, intervalMicros: number) {
    this.#profiler = createLineProfiler(native, intervalMicros);
  }

  /** @throws if another profiler of this add-on runs in the thread */
  start(): void {
    this.#profiler.start();
    this.#cpuNanos = threadCpuNanos();
    this.#unsharedCpuNanos = 0;
  }

  endPeriod(tables: StackTables, isLast: boolean): SampledPeriod {
    const { raw, wasRestarted } = endPeriod(this.#profiler);
    const cpuNanos = threadCpuNanos();
    const { rows, unsharedCpuNanos } = readLineTree(raw, tables, this.#unsharedCpuNanos + cpuNanos - this.#cpuNanos);
    this.#cpuNanos = cpuNanos;
    this.#unsharedCpuNanos = unsharedCpuNanos;
    if (isLast && unsharedCpuNanos > 0) rows.push(unseen(tables, 0, unsharedCpuNanos / 1000));
    return { rows, lines: 'call-site', wasRestarted };
  }

  stop(): void {
    this.#profiler.stop(false);
  }
}
