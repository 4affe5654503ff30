import type { ContextWiring } from '../transactions/context-wiring.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { StackTables } from './stack-tables.js';

/** What samples stacks on one thread: one for the life of the thread, started and paused, never disposed of. */
export interface StackSampler {
  readonly wiring: ContextWiring;
  start(): void;
  readonly rateHz: number;
  /**
   * Ends one period and begins the next.
   *
   * @param tables - Where its stacks go.
   * @param isLast - Nothing may be kept for a next one.
   */
  endPeriod(tables: StackTables, isLast: boolean): SampledPeriod;
  pause(): void;
}

export interface SampledPeriod {
  readonly rows: readonly ScopedSamples[];
  /** The sampler had to be restarted, and may have missed something. */
  readonly wasRestarted: boolean;
}
