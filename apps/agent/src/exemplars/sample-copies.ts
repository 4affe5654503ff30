import { MAX_EXEMPLAR_SAMPLES } from '@hearth/wire-format';
import type { RawFunction } from '../samplers/stack-tables.js';

/** One sample of a transaction, beside the one that is counted. */
export interface CopiedSample {
  /** From the start of the transaction. */
  readonly startMicros: number;
  readonly wallMicros: number;
  readonly cpuMicros: number;
  readonly spanRow: number;
  /** Row in the tables of the period in which it was taken. */
  readonly stackRow: number;
  /** Once that period is over: tables live for one. */
  framesRootFirst: readonly RawFunction[] | undefined;
}

/**
 * Copies of the samples of one transaction, in the order of time. Where there are too many, every second one is kept, then every fourth: so they stay
 * spread over the whole of it.
 */
export class SampleCopies {
  rows: CopiedSample[] = [];
  /** All of them, also those that are not kept. */
  count = 0;
  cpuMicros = 0;
  #every = 1;

  add(sample: CopiedSample): void {
    if (this.count % this.#every === 0) this.rows.push(sample);
    this.count += 1;
    this.cpuMicros += sample.cpuMicros;
    if (this.rows.length > MAX_EXEMPLAR_SAMPLES) this.thin();
  }

  /** Keeps half of them. */
  thin(): void {
    this.rows = this.rows.filter((_, at) => at % 2 === 0);
    this.#every *= 2;
  }
}
