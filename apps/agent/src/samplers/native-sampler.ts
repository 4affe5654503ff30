import { AsyncLocalStorage } from 'node:async_hooks';
import { nativeContextTarget, wireByFrames, wireByReference, type ContextWiring } from '../transactions/context-wiring.js';
import { contextFramesWork } from './context-frames-probe.js';
import { createProfiler, endPeriod, isReadableTree, loadNativeModule, type NativeTimeProfiler } from './native-profiler.js';
import { readTimeTree, unseenCpu } from './read-time-tree.js';
import type { SampledPeriod, StackSampler } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';

/** Samples stacks by the native profiler, and reads its tree without the public serializer. */
export class NativeSampler implements StackSampler {
  readonly wiring: ContextWiring;
  readonly #profiler: NativeTimeProfiler;
  #isRunning = false;
  #hasReadTree = false;
  #unsharedCpuNanos = 0;

  readonly rateHz: number;

  /** @throws if the add-on does not load, start or answer here as it must. */
  constructor(rateHz: number) {
    this.rateHz = rateHz;
    const native = loadNativeModule();
    const key = contextFramesWork(native) ? new AsyncLocalStorage<object>() : undefined;
    this.#profiler = createProfiler(native, Math.round(1_000_000 / rateHz), key);
    this.wiring =
      key === undefined ? wireByReference(nativeContextTarget(native, this.#profiler)) : wireByFrames(this.#profiler, key);
  }

  start(): void {
    if (this.#isRunning) return;
    this.#profiler.start();
    this.wiring.resume();
    this.wiring.periodEnded();
    this.#isRunning = true;
  }

  endPeriod(tables: StackTables, isLast: boolean): SampledPeriod {
    const { raw, wasRestarted } = endPeriod(this.#profiler);
    this.wiring.periodEnded();
    if (!this.#hasReadTree && !isReadableTree(raw)) throw new Error('the tree of @datadog/pprof is not as it was');
    this.#hasReadTree = true;
    const { rows, unsharedCpuNanos } = readTimeTree(raw, tables, this.wiring.scopeOf, this.#unsharedCpuNanos);
    this.#unsharedCpuNanos = isLast ? 0 : unsharedCpuNanos;
    if (isLast && unsharedCpuNanos > 0) rows.push(unseenCpu(tables, unsharedCpuNanos));
    return { rows, wasRestarted };
  }

  /** Keeps the profiler: making a second one, or disposing of this one, can end the host. */
  pause(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.wiring.pause();
    this.#profiler.stop(false);
  }
}
