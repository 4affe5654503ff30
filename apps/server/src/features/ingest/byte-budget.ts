import { HearthError } from '../../platform/http/index.js';

/** Bytes held from now on, instead of fewer. */
export type GrowTo = (bytes: number) => void;

/** How many bytes of request bodies, and of what was read from them, may be in memory at once: a slow database never becomes a full memory. */
export class ByteBudget {
  readonly maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Runs `work` while `bytes` are held. When `work` knows better how much it holds, it calls `growTo`.
   *
   * @throws {HearthError} `INGEST_BUSY` 429 when they do not fit beside the others; so does `growTo`
   */
  async hold<Result>(bytes: number, work: (growTo: GrowTo) => Promise<Result>): Promise<Result> {
    let heldBytes = 0;
    const growTo: GrowTo = (newBytes) => {
      const moreBytes = Math.max(0, newBytes - heldBytes);
      this.#assertRoom(heldBytes, moreBytes);
      this.#usedBytes += moreBytes;
      heldBytes += moreBytes;
    };
    growTo(bytes);
    try {
      return await work(growTo);
    } finally {
      this.#usedBytes -= heldBytes;
    }
  }

  #assertRoom(heldBytes: number, moreBytes: number): void {
    // Alone even the largest body may pass: refused now, it would be refused for ever.
    if (this.#usedBytes > heldBytes && this.#usedBytes + moreBytes > this.maxBytes) {
      throw new HearthError(
        'INGEST_BUSY',
        `${this.#usedBytes} bytes wait to be stored already (MAX_QUEUED_BYTES ${this.maxBytes}): send again later`,
        { status: 429, retryAfterSeconds: 5 },
      );
    }
  }
}
