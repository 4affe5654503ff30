import timers from 'node:timers';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DurationMs } from '@hearth/profile-model';
import type { TakeSample } from '../exemplars/exemplar-samples.js';
import type { HandlerRanges } from '../lost-context/handler-ranges.js';
import {
  nativeContextTarget,
  wireByFrames,
  wireByReference,
  type ContextWiring,
  type NativeContextTarget,
} from '../transactions/context-wiring.js';
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
import { readTimeTree, unseen } from './read-time-tree.js';
import { NOTHING_SPENT, addSpent, spreadOverPeriod, type Spent } from './spread-over-period.js';
import type { SampledPeriod, StackSampler } from './stack-sampler.js';
import type { StackTables } from './stack-tables.js';
import { ownCpuNanos, threadCpuNanos } from './thread-cpu.js';

/** The profiler rests until the next period. */
interface Resting {
  /** What it sampled of this one; `undefined`: nothing. */
  readonly raw: RawProfile | undefined;
}

/** An end of a period, which is the beginning of the next. */
interface Boundary {
  /** By the monotonic clock. */
  readonly micros: number;
  /** `undefined` where nothing tells what the thread used. */
  readonly cpuNanos: number | undefined;
}

/** A native profiler and its rate, which is fixed when it is made. */
interface RatedProfiler {
  readonly profiler: NativeTimeProfiler;
  readonly rateHz: number;
}

/** One profiler has stopped, and another begun: V8 walks all code there is, and nothing is sampled meanwhile. By the clock of `RawProfile`. */
interface Turn {
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly cpuNanos: number;
}

const NO_BOUNDARY: Boundary = { micros: 0, cpuNanos: undefined };

/** Samples stacks by the native profiler, and reads its tree without the public serializer. */
export class NativeSampler implements StackSampler {
  readonly wiring: ContextWiring;
  readonly #native: NativeModule;
  /** Where labels are found through async context frames. */
  readonly #key: AsyncLocalStorage<object> | undefined;
  /** Where they are set by hand. */
  readonly #target: NativeContextTarget | undefined;
  readonly #usual: RatedProfiler;
  /** Made when a higher rate is first asked for; its rate stays. */
  #raised: RatedProfiler | undefined;
  /** Of the two the one that samples, or rests. */
  #current: RatedProfiler;
  /** The one that takes over at the end of the period. */
  #next: RatedProfiler | undefined;
  #turn: Turn | undefined;
  /** Made when lines are first asked for. */
  #lineProfiler: LineProfiler | undefined;
  #isRunning = false;
  #samplesLines = false;
  #boundary: Boundary = NO_BOUNDARY;
  /** Of periods before, without a sample that could take it. */
  #owed: Spent = NOTHING_SPENT;
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
    const profiler = createProfiler(native, intervalMicros(rateHz), key);
    if (known === undefined) assertReadable(profiler);
    this.#key = key;
    this.#usual = this.#current = { profiler, rateHz };
    this.#target = key === undefined ? nativeContextTarget(native, profiler) : undefined;
    this.wiring = key === undefined ? wireByReference(this.#target!) : wireByFrames(profiler, key);
  }

  get samplingHz(): number {
    return this.#samplesLines ? this.rateHz : this.#current.rateHz;
  }

  /** @throws if another profiler of this add-on runs in the thread */
  start(): void {
    if (this.#isRunning) return;
    this.#boundary = boundary();
    this.#current.profiler.start();
    this.#isRunning = true;
    this.wiring.resume();
    this.wiring.periodEnded();
    this.#restLater();
  }

  endPeriod(tables: StackTables, isLast: boolean, takeSample?: TakeSample, handlers?: HandlerRanges): SampledPeriod {
    if (this.#samplesLines) return this.#lineProfiler!.endPeriod(tables, isLast);
    const from = this.#boundary;
    this.#boundary = boundary(); // before all else: what it takes to end a period is in the next
    const { rateHz } = this.#current;
    const turn = this.#turn;
    const { raw, wasRestarted } = this.#resting === undefined ? this.#endProfile() : this.#endRest(this.#resting);
    if (raw === undefined) return { rows: [], lines: 'definition', wasRestarted };
    this.wiring.periodEnded();
    this.#restLater();
    // The profile begins before its code is walked, and what it samples after it.
    const sampled = turn === undefined ? raw : { ...raw, startTime: between(raw.startTime, turn.untilMicros, raw.endTime) };
    const { rows, cpuNanos } = readTimeTree(sampled, tables, this.wiring.scopeOf, takeSample, handlers);
    // A count is one of samples at the process' own rate: of a period with five times as many, each is a fifth.
    if (rateHz !== this.rateHz) for (const row of rows) row.count *= this.rateHz / rateHz;
    if (turn !== undefined) rows.push(unseen(tables, Math.max(0, sampled.startTime - turn.fromMicros), turn.cpuNanos / 1000));
    const whole = spentBetween(from, this.#boundary, sampled, cpuNanos);
    this.#owed = spreadOverPeriod(rows, addSpent(this.#owed, whole));
    if (isLast && (this.#owed.micros > 0 || this.#owed.cpuNanos > 0)) {
      rows.push(unseen(tables, this.#owed.micros, this.#owed.cpuNanos / 1000));
      this.#owed = NOTHING_SPENT;
    }
    return { rows, lines: 'definition', wasRestarted };
  }

  /** Ends a period of the profiler that runs; where it is another's turn, that one begins the next. */
  #endProfile(): { raw: RawProfile; wasRestarted: boolean } {
    const [before, next] = [this.#current, this.#next];
    this.#next = this.#turn = undefined;
    if (next === undefined || next === before) return endPeriod(before.profiler);
    const cpuNanos = threadCpuNanos();
    const raw = before.profiler.stop(false);
    this.#moveTo(next);
    try {
      next.profiler.start();
    } catch {
      this.#moveTo(before); // who asked sees by `samplingHz` that it is not
      before.profiler.start();
    }
    const untilMicros = Number(process.hrtime.bigint()) / 1000;
    this.#turn = { fromMicros: raw.endTime, untilMicros, cpuNanos: threadCpuNanos() - cpuNanos };
    return { raw, wasRestarted: false };
  }

  #moveTo(next: RatedProfiler): void {
    this.#current = next;
    this.#target?.moveTo(next.profiler);
  }

  raiseRate(rateHz: number): void {
    if (!this.#isRunning) throw new Error('it does not sample');
    if (this.#samplesLines) throw new Error('lines are recorded');
    if (this.#windowMs !== undefined) throw new Error('the agent is over its budget');
    if (rateHz <= this.rateHz) throw new Error(`${this.rateHz} Hz is not less`);
    this.#raised ??= { profiler: createProfiler(this.#native, intervalMicros(rateHz), this.#key), rateHz };
    this.#next = this.#raised;
  }

  lowerRate(): void {
    this.#next = this.#usual;
  }

  /** Its profiler is stopped: what it has sampled stands for the time since, too. */
  #endRest({ raw }: Resting): { raw: RawProfile | undefined; wasRestarted: boolean } {
    this.#wakeUp();
    return { raw, wasRestarted: false };
  }

  sampleLines(lines: 'definition' | 'call-site'): void {
    if (!this.#isRunning || this.#samplesLines === (lines === 'call-site')) return;
    if (lines === 'definition') {
      this.#lineProfiler!.stop();
      this.#samplesLines = false;
      this.#boundary = boundary();
      this.#startAnew();
      return;
    }
    if (this.#windowMs === 0) throw new Error('the agent is over its budget, and samples no stacks');
    this.#lineProfiler ??= new LineProfiler(this.#native, intervalMicros(this.rateHz));
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
    if (windowMs !== undefined) this.lowerRate();
    if (!this.#isRunning || this.#samplesLines) return;
    if (this.#resting === undefined) this.#restLater();
    else if (this.#resting.raw === undefined) this.#wakeUp(); // else at the end of the period, which needs what it has sampled
  }

  /** In this period it has sampled for as long as it may: then it rests. */
  #restLater(): void {
    timers.clearTimeout(this.#restTimer);
    if (this.#windowMs === undefined) return;
    if (this.#windowMs === 0) return this.#rest();
    this.#restTimer = timers
      .setTimeout(() => {
        try {
          this.#rest();
        } catch {
          // It samples on: the end of the period says what is wrong with it.
        }
      }, this.#windowMs)
      .unref();
  }

  #rest(): void {
    if (!this.#isRunning || this.#samplesLines || this.#resting !== undefined) return;
    const raw = this.#current.profiler.stop(false);
    this.#resting = { raw: this.#windowMs === 0 ? undefined : raw };
    this.wiring.periodEnded();
  }

  /** Where nothing is to be sampled it rests on. */
  #wakeUp(): void {
    if (this.#windowMs === 0) {
      this.#resting = { raw: undefined };
      return;
    }
    this.#startAnew();
  }

  #startAnew(): void {
    this.#resting = this.#turn = undefined;
    if (this.#current !== this.#usual) this.#moveTo(this.#usual);
    this.#next = undefined;
    this.#usual.profiler.start();
    this.wiring.periodEnded();
    this.#restLater();
  }

  #stopProfiler(): void {
    timers.clearTimeout(this.#restTimer);
    if (this.#resting === undefined) this.#current.profiler.stop(false);
    this.#resting = this.#turn = undefined;
  }

  /** Keeps its profilers: disposing of one can end the host. */
  pause(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.wiring.pause();
    if (this.#samplesLines) this.#lineProfiler!.stop();
    else this.#stopProfiler();
    this.#samplesLines = false;
    this.#next = undefined;
    if (this.#current !== this.#usual) this.#moveTo(this.#usual);
  }
}

/** `value` where it lies between the two, else `least`: the clocks may not be one everywhere. */
function between(least: number, value: number, most: number): number {
  return value >= least && value < most ? value : least;
}

function boundary(): Boundary {
  return { micros: performance.now() * 1000, cpuNanos: ownCpuNanos() };
}

/** @param cpuNanos - What the samples tell of the CPU: all there is where nothing tells of the thread. */
function spentBetween(from: Boundary, until: Boundary, sampled: RawProfile, cpuNanos: number): Spent {
  const micros = until.micros - from.micros;
  if (from.cpuNanos !== undefined && until.cpuNanos !== undefined) return { micros, cpuNanos: until.cpuNanos - from.cpuNanos };
  const sampledMicros = sampled.endTime - sampled.startTime;
  return { micros, cpuNanos: sampledMicros > 0 ? (cpuNanos * micros) / sampledMicros : cpuNanos };
}

function intervalMicros(rateHz: number): number {
  return Math.round(1_000_000 / rateHz);
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
