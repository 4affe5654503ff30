import { AsyncLocalStorage } from 'node:async_hooks';
import type { DurationMs } from '@hearth/profile-model';
import type { TakeSample } from '../exemplars/exemplar-samples.js';
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
  type RawProfile,
} from './native-profiler.js';
import { readTimeTree, unseenCpu } from './read-time-tree.js';
import { spreadOverPeriod } from './spread-over-period.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { SampledPeriod, StackSampler } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';
import { threadCpuNanos } from './thread-cpu.js';

/** The profiler rests until the next period. */
interface Resting {
  /** What it sampled of this one; `undefined`: nothing. */
  readonly raw: RawProfile | undefined;
  /** By the monotonic clock, in milliseconds. */
  readonly since: number;
  readonly cpuNanos: number;
}

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
  #windowMs: DurationMs | undefined;
  #restTimer: NodeJS.Timeout | undefined;
  #resting: Resting | undefined;

  readonly rateHz: number;

  /**
   * @param known - What another thread of this process has found out: each look starts V8's profiler, which walks all code there is.
   * @throws if the add-on does not load, start or answer here as it must.
   */
  constructor(rateHz: number, known?: 'frames' | 'reference') {
    this.rateHz = rateHz;
    const native = loadNativeModule();
    this.#native = native;
    const hasFrames = known === undefined ? contextFramesWork(native) : known === 'frames';
    const key = hasFrames ? new AsyncLocalStorage<object>() : undefined;
    this.#profiler = createProfiler(native, this.#intervalMicros, key);
    if (known === undefined) assertReadable(this.#profiler);
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
    this.#restLater();
  }

  endPeriod(tables: StackTables, isLast: boolean, takeSample?: TakeSample): SampledPeriod {
    if (this.#samplesLines) return this.#lineProfiler!.endPeriod(tables, isLast);
    if (this.#resting !== undefined) return this.#endPartialPeriod(this.#resting, tables, isLast, takeSample);
    const { raw, wasRestarted } = endPeriod(this.#profiler);
    this.wiring.periodEnded();
    this.#restLater();
    const { rows, unsharedCpuNanos } = readTimeTree(raw, tables, this.wiring.scopeOf, this.#unsharedCpuNanos, takeSample);
    return this.#sampled(rows, unsharedCpuNanos, tables, isLast, wasRestarted);
  }

  /** Its profiler is stopped: what it has sampled stands for the time since, too. */
  #endPartialPeriod(
    { raw, since, cpuNanos }: Resting,
    tables: StackTables,
    isLast: boolean,
    takeSample: TakeSample | undefined,
  ): SampledPeriod {
    this.#wakeUp();
    const rest = { micros: (performance.now() - since) * 1000, cpuNanos: threadCpuNanos() - cpuNanos };
    if (raw === undefined) return { rows: [], lines: 'definition', wasRestarted: false };
    const { rows, unsharedCpuNanos } = readTimeTree(raw, tables, this.wiring.scopeOf, this.#unsharedCpuNanos, takeSample);
    const leftCpuNanos = spreadOverPeriod(rows, raw.endTime - raw.startTime, rest);
    return this.#sampled(rows, unsharedCpuNanos + leftCpuNanos, tables, isLast, false);
  }

  #sampled(
    rows: ScopedSamples[],
    unsharedCpuNanos: number,
    tables: StackTables,
    isLast: boolean,
    wasRestarted: boolean,
  ): SampledPeriod {
    this.#unsharedCpuNanos = isLast ? 0 : unsharedCpuNanos;
    if (isLast && unsharedCpuNanos > 0) rows.push(unseenCpu(tables, unsharedCpuNanos));
    return { rows, lines: 'definition', wasRestarted };
  }

  sampleLines(lines: 'definition' | 'call-site'): void {
    if (!this.#isRunning || this.#samplesLines === (lines === 'call-site')) return;
    if (lines === 'definition') {
      this.#lineProfiler!.stop();
      this.#samplesLines = false;
      this.#startAnew();
      return;
    }
    if (this.#windowMs === 0) throw new Error('the agent is over its budget, and samples no stacks');
    this.#lineProfiler ??= new LineProfiler(this.#native, this.#intervalMicros);
    this.#stopProfiler();
    try {
      this.#lineProfiler.start();
    } catch (fault) {
      this.#startAnew();
      throw fault;
    }
    this.#samplesLines = true;
  }

  sampleFor(windowMs: DurationMs | undefined): void {
    this.#windowMs = windowMs;
    if (!this.#isRunning || this.#samplesLines) return;
    if (this.#resting !== undefined) this.#wakeUp();
    else this.#restLater();
  }

  /** In this period it has sampled for as long as it may: then it rests. */
  #restLater(): void {
    clearTimeout(this.#restTimer);
    if (this.#windowMs === undefined) return;
    if (this.#windowMs === 0) return this.#rest();
    this.#restTimer = setTimeout(() => {
      try {
        this.#rest();
      } catch {
        // It samples on: the end of the period says what is wrong with it.
      }
    }, this.#windowMs).unref();
  }

  #rest(): void {
    if (!this.#isRunning || this.#samplesLines || this.#resting !== undefined) return;
    const [since, cpuNanos] = [performance.now(), threadCpuNanos()]; // to stop it, and to start it again, takes milliseconds of a large tree
    const raw = this.#profiler.stop(false);
    this.#resting = { raw: this.#windowMs === 0 ? undefined : raw, since, cpuNanos };
    this.wiring.periodEnded();
  }

  /** Where nothing is to be sampled it rests on. */
  #wakeUp(): void {
    if (this.#windowMs === 0) {
      this.#resting = { raw: undefined, since: performance.now(), cpuNanos: threadCpuNanos() };
      return;
    }
    this.#startAnew();
  }

  #startAnew(): void {
    this.#resting = undefined;
    this.#profiler.start();
    this.wiring.periodEnded();
    this.#restLater();
  }

  #stopProfiler(): void {
    clearTimeout(this.#restTimer);
    if (this.#resting === undefined) this.#profiler.stop(false);
    this.#resting = undefined;
  }

  /** Keeps the profiler: making a second one, or disposing of this one, can end the host. */
  pause(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.wiring.pause();
    if (this.#samplesLines) this.#lineProfiler!.stop();
    else this.#stopProfiler();
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
