import { HearthError } from '../../platform/http/index.js';

/** How many bytes of request bodies may be in memory at once, so that a slow database never becomes a full memory. */
export class ByteBudget {
  readonly maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Runs `work` while `bytes` are held. @throws {HearthError} `INGEST_BUSY` 429 when they do not fit beside the others */
  async hold<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    // Alone even the largest body may pass: refused now, it would be refused for ever.
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > this.maxBytes) {
      throw new HearthError(
        'INGEST_BUSY',
        `${this.#usedBytes} bytes wait to be stored already (MAX_QUEUED_BYTES ${this.maxBytes}): send again later`,
        { status: 429, retryAfterSeconds: 5 },
      );
    }
    this.#usedBytes += bytes;
    try {
      return await work();
    } finally {
      this.#usedBytes -= bytes;
    }
  }
}
