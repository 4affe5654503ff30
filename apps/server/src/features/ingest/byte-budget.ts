import { HearthError } from '../../platform/http/index.js';

/** Bytes held from now on, instead of fewer. */
export type GrowTo = (bytes: number) => void;

/**
 * How many bytes of request bodies, and of what was read from them, may be in memory at once: a slow database never becomes a full memory.
 *
 * Of k projects that hold bytes none may take more than the (k + 1)th part. Shares are asked for when bytes are taken: what was taken while fewer projects sent
 * is held until those bodies end, and only then is there room for one project more. So a third or fourth may be refused for as long as slow bodies last.
 */
export class ByteBudget {
  readonly maxBytes: number;
  #usedBytes = 0;
  readonly #byProject = new Map<number, number>();

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
  async hold<Result>(projectId: number, bytes: number, work: (growTo: GrowTo) => Promise<Result>): Promise<Result> {
    let heldBytes = 0;
    const growTo: GrowTo = (newBytes) => {
      const moreBytes = Math.max(0, newBytes - heldBytes);
      this.#assertRoom(projectId, heldBytes, moreBytes);
      this.#add(projectId, moreBytes);
      heldBytes += moreBytes;
    };
    growTo(bytes);
    try {
      return await work(growTo);
    } finally {
      this.#add(projectId, -heldBytes);
    }
  }

  #add(projectId: number, bytes: number): void {
    this.#usedBytes += bytes;
    const held = (this.#byProject.get(projectId) ?? 0) + bytes;
    if (held > 0) this.#byProject.set(projectId, held);
    else this.#byProject.delete(projectId);
  }

  #assertRoom(projectId: number, heldBytes: number, moreBytes: number): void {
    const ofProject = this.#byProject.get(projectId) ?? 0;
    const projects = this.#byProject.size + (ofProject === 0 ? 1 : 0);
    // Alone even the largest body may pass: refused now, it would be refused for ever.
    const isAlone = this.#usedBytes <= heldBytes;
    // So may the only body of a project, beside others.
    const isOnlyOne = ofProject <= heldBytes;
    const isWithinShare = isOnlyOne || ofProject + moreBytes <= this.maxBytes / (projects + 1);
    if (isAlone || (isWithinShare && this.#usedBytes + moreBytes <= this.maxBytes)) return;
    throw new HearthError(
      'INGEST_BUSY',
      `${this.#usedBytes} bytes wait to be stored already, ${ofProject} of this project (MAX_QUEUED_BYTES ${this.maxBytes}): send again later`,
      { status: 429, retryAfterSeconds: 5 },
    );
  }
}
