import type { EpochMs } from '@hearth/profile-model';

/** A batch that waits to be acknowledged. */
export interface PackedBatch {
  readonly sequence: number;
  /** Compressed. */
  readonly bytes: Uint8Array;
  readonly packedAtMs: EpochMs;
  /** The same in milliseconds of the monotonic clock: no jump of the other makes a batch old. */
  readonly packedAt: number;
  /** What is lost with it: itself, and the losses that only it reports. */
  readonly standsFor: DroppedCounts;
}

export interface DroppedCounts {
  readonly batches: number;
  /** Raw samples. */
  readonly samples: number;
}

export const MAX_BUFFERED_AGE_MS = 10 * 60_000;

/** The batches that the server has not acknowledged yet: bounded in bytes and in age, oldest dropped first, and counted. */
export class BatchBuffer {
  readonly #maxBytes: number;
  readonly #batches: PackedBatch[] = [];
  #bytes = 0;
  #dropped: DroppedCounts = { batches: 0, samples: 0 };

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#batches.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): PackedBatch | undefined {
    return this.#batches[0];
  }

  /** Oldest first. */
  get all(): readonly PackedBatch[] {
    return this.#batches;
  }

  /** @param now - Of the monotonic clock. */
  add(batch: PackedBatch, now: number): void {
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
    this.dropOld(now);
    while (this.#bytes > this.#maxBytes) this.drop(this.#batches[0]!);
  }

  /** Takes a batch back that was taken out by `remove`, as the oldest. */
  putBack(batch: PackedBatch): void {
    this.#batches.unshift(batch);
    this.#bytes += batch.bytes.length;
    while (this.#bytes > this.#maxBytes) this.drop(this.#batches[0]!);
  }

  /** @param now - Of the monotonic clock. */
  dropOld(now: number): void {
    while (this.#batches.length > 0 && now - this.#batches[0]!.packedAt > MAX_BUFFERED_AGE_MS) this.drop(this.#batches[0]!);
  }

  /** Takes an acknowledged batch out. */
  remove(batch: PackedBatch): void {
    const at = this.#batches.indexOf(batch);
    if (at < 0) return;
    this.#batches.splice(at, 1);
    this.#bytes -= batch.bytes.length;
  }

  /** Takes a batch out that will never be sent, and counts it. One that is no longer here has been counted. */
  drop(batch: PackedBatch): void {
    if (!this.#batches.includes(batch)) return;
    this.remove(batch);
    this.countLost(batch.standsFor);
  }

  /** Counts what never got here. */
  countLost({ batches, samples }: DroppedCounts): void {
    this.#dropped = { batches: this.#dropped.batches + batches, samples: this.#dropped.samples + samples };
  }

  /** What was dropped since the last call: for the report of the next batch. */
  takeDropped(): DroppedCounts {
    const dropped = this.#dropped;
    this.#dropped = { batches: 0, samples: 0 };
    return dropped;
  }
}
