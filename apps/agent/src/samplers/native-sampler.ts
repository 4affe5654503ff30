import { AsyncLocalStorage } from 'node:async_hooks';
import { nativeContextTarget, wireByFrames, wireByReference, type ContextWiring } from '../transactions/context-wiring.js';
import { contextFramesWork } from './context-frames-probe.js';
import { LineProfiler } from './line-profiler.js';
import {
  createProfiler,
  endPeriod,
  isReadableTree,
  loadNativeModule,
  type NativeModule,
  type NativeTimeProfiler,
} from './native-profiler.js';
import { readTimeTree, unseenCpu } from './read-time-tree.js';
import type { SampledPeriod, StackSampler } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';

/** Samples stacks by the native profiler, and reads its tree without the public serializer. */
export class NativeSampler implements StackSampler {
  readonly wiring: ContextWiring;
  readonly #native: NativeModule;
  readonly #profiler: NativeTimeProfiler;
  /** Made when lines are first asked for. */
  #lineProfiler: LineProfiler | undefined;
  #isRunning = false;
  #samplesLines = false;
  #unsharedCpuNanos = 0;

  readonly rateHz: number;

  /** @throws if the add-on does not load, start or answer here as it must. */
  constructor(rateHz: number) {
    this.rateHz = rateHz;
    const native = loadNativeModule();
    this.#native = native;
    const key = contextFramesWork(native) ? new AsyncLocalStorage<object>() : undefined;
    this.#profiler = createProfiler(native, this.#intervalMicros, key);
    assertReadable(this.#profiler);
    this.wiring =
      key === undefined ? wireByReference(nativeContextTarget(native, this.#profiler)) : wireByFrames(this.#profiler, key);
  }

  get #intervalMicros(): number {
    return Math.round(1_000_000 / this.rateHz);
  }

  /** @throws if another profiler of this add-on runs in the thread */
  start(): void {
    if (this.#isRunning) return;
    this.#profiler.start();
    this.#isRunning = true;
    this.wiring.resume();
    this.wiring.periodEnded();
  }

  endPeriod(tables: StackTables, isLast: boolean): SampledPeriod {
    if (this.#samplesLines) return this.#lineProfiler!.endPeriod(tables, isLast);
    const { raw, wasRestarted } = endPeriod(this.#profiler);
    this.wiring.periodEnded();
    const { rows, unsharedCpuNanos } = readTimeTree(raw, tables, this.wiring.scopeOf, this.#unsharedCpuNanos);
    this.#unsharedCpuNanos = isLast ? 0 : unsharedCpuNanos;
    if (isLast && unsharedCpuNanos > 0) rows.push(unseenCpu(tables, unsharedCpuNanos));
    return { rows, lines: 'definition', wasRestarted };
  }

  sampleLines(lines: 'definition' | 'call-site'): void {
    if (!this.#isRunning || this.#samplesLines === (lines === 'call-site')) return;
    if (lines === 'definition') {
      this.#lineProfiler!.stop();
      this.#samplesLines = false;
      this.#profiler.start();
      this.wiring.periodEnded();
      return;
    }
    this.#lineProfiler ??= new LineProfiler(this.#native, this.#intervalMicros);
    this.#profiler.stop(false);
    try {
      this.#lineProfiler.start();
    } catch (fault) {
      this.#profiler.start();
      throw fault;
    }
    this.#samplesLines = true;
  }

  /** Keeps the profiler: making a second one, or disposing of this one, can end the host. */
  pause(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.wiring.pause();
    if (this.#samplesLines) this.#lineProfiler!.stop();
    else this.#profiler.stop(false);
    this.#samplesLines = false;
  }
}

/** Looks at the tree of a first, empty period while the public calls can still be used instead. */
function assertReadable(profiler: NativeTimeProfiler): void {
  try {
    profiler.start();
  } catch {
    return; // another profiler runs here; it may have ended when ours is to start
  }
  if (isReadableTree(profiler.stop(false))) return;
  profiler.dispose(); // it has no holder yet; left to the garbage collector together with one, it would abort the process
  throw new Error('the tree of @datadog/pprof is not as it was');
}
