import { HearthError } from '../../platform/http/index.js';

export interface QueryGateLimits {
  /** Questions worked on at once. Each holds a database connection and a pool thread. */
  readonly maxRunning: number;
  /** Questions that wait for their turn; more are sent away. */
  readonly maxWaiting: number;
}

/** Lets few questions in at once, in the order they came, so that a page full of charts cannot take every connection from ingest. */
export class QueryGate {
  readonly #limits: QueryGateLimits;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: QueryGateLimits = { maxRunning: 4, maxWaiting: 64 }) {
    this.#limits = limits;
  }

  /**
   * Runs `work` when its turn has come. A question whose client has left is never begun.
   *
   * @throws {HearthError} `QUERIES_BUSY`, `QUERY_CANCELLED`
   */
  async run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#turn(signal);
    try {
      return await work();
    } catch (error) {
      throw signal.aborted ? cancelled(error) : error;
    } finally {
      this.#running -= 1;
      const next = this.#waiting.values().next().value;
      next?.();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled(signal.reason);
    if (this.#running < this.#limits.maxRunning) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.size >= this.#limits.maxWaiting) {
      throw new HearthError('QUERIES_BUSY', `${this.#waiting.size} questions wait already: try again in a moment`, {
        status: 503,
        retryAfterSeconds: 2,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(cancelled(signal.reason));
      };
      const enter = () => {
        this.#waiting.delete(enter);
        signal.removeEventListener('abort', leave);
        this.#running += 1;
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

/** Nobody reads the answer; the status is for the log. */
function cancelled(cause: unknown): HearthError {
  return new HearthError('QUERY_CANCELLED', 'the client left before the answer', { status: 499, cause });
}
