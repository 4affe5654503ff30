import type { DurationMs } from '@hearth/profile-model';
import type { RecordedLines } from '@hearth/wire-format';
import type { TakeSample } from '../exemplars/exemplar-samples.js';
import type { HandlerRanges } from '../lost-context/handler-ranges.js';
import type { ContextWiring } from '../transactions/context-wiring.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { StackTables } from './stack-tables.js';

/** What samples stacks on one thread: one for the life of the thread, started and paused, never disposed of. */
export interface StackSampler {
  readonly wiring: ContextWiring;
  start(): void;
  /** Samples per second that were asked for. */
  readonly rateHz: number;
  /** Of the period that runs: higher while the rate is raised. */
  readonly samplingHz: number;
  /**
   * Ends one period and begins the next.
   *
   * @param tables - Where its stacks go.
   * @param isLast - Nothing may be kept for a next one.
   * @param takeSample - Called with each sample in a scope, where single samples are known.
   * @param handlers - To tell what is written in them, where single functions are known.
   */
  endPeriod(tables: StackTables, isLast: boolean, takeSample?: TakeSample, handlers?: HandlerRanges): SampledPeriod;
  /**
   * Between two periods: from here on the lines that ran are sampled, without scopes, or definitions with their scopes. What is current is followed all the time.
   *
   * @throws if that cannot be done here; then nothing has changed.
   */
  sampleLines(lines: 'definition' | 'call-site'): void;
  /**
   * Between two periods: samples only the beginning of each period from here on, and lets that stand for all of it. What is current is followed all the time.
   *
   * @param windowMs - 0: nothing is sampled; `undefined`: all the time.
   */
  sampleFor(windowMs: DurationMs | undefined): void;
  /**
   * From the next period on: more samples a second, with what the usual ones have. Counts stay those of `rateHz`: a sample is the part of one that its share of the time is.
   *
   * @param rateHz - Above `rateHz`; the first one stays.
   * @throws if that cannot be done here, or not now; then nothing has changed. Where it fails later, `samplingHz` stays.
   */
  raiseRate(rateHz: number): void;
  /** From the next period on as ever. */
  lowerRate(): void;
  pause(): void;
}

export interface SampledPeriod {
  readonly rows: readonly ScopedSamples[];
  readonly lines: RecordedLines;
  /** The sampler had to be restarted, and may have missed something. */
  readonly wasRestarted: boolean;
}
