import { DEFAULT_COLUMN_LIMITS, type ColumnLimits } from './column-reader.js';
import { WireError } from './errors.js';

export interface DecodeLimits extends ColumnLimits {
  /** Batches of one body. */
  readonly maxBatches: number;
  /** Label sets of one batch, and as well its transactions: a few bytes of either become objects many times their size. */
  readonly maxLabelSets: number;
  /** Labels of one label set. */
  readonly maxLabels: number;
  /** Profiles of one batch. */
  readonly maxProfiles: number;
  /** Series of one batch. */
  readonly maxSeries: number;
  /** Samples of a whole body: what follows takes time for each, and not in a thread of its own. */
  readonly maxSamples: number;
  /**
   * Memory that a whole body may take once it is read, as `DecodedSize` counts it. Texts are referred to by row, so a few bytes can
   * stand for a text of kilobytes: the bytes of the body bound nothing.
   */
  readonly maxDecodedBytes: number;
}

export const DEFAULT_DECODE_LIMITS: DecodeLimits = {
  ...DEFAULT_COLUMN_LIMITS,
  maxBatches: 256,
  maxLabelSets: 4096,
  maxLabels: 64,
  maxProfiles: 64,
  maxSeries: 1024,
  maxSamples: 1_000_000,
  maxDecodedBytes: 64 * 2 ** 20,
};

/** What is read of a body so far, against what is allowed. */
export class DecodedSize {
  readonly #limits: DecodeLimits;
  #bytes = 0;
  #samples = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws {WireError} `WIRE_SIZE` */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxDecodedBytes)
      throw new WireError('WIRE_SIZE', `takes more than ${this.#limits.maxDecodedBytes} bytes once it is read`);
  }

  /** @throws {WireError} `WIRE_SIZE` */
  addSamples(samples: number): void {
    this.#samples += samples;
    if (this.#samples > this.#limits.maxSamples)
      throw new WireError('WIRE_SIZE', `more than ${this.#limits.maxSamples} samples in one body`);
    this.add(samples * SAMPLE_BYTES);
  }
}

const SAMPLE_BYTES = 24;
/** An object or array of a few fields, roughly. */
export const OBJECT_BYTES = 64;
export const textBytes = (text: string): number => text.length * 2;
