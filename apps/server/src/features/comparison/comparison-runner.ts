import { randomUUID } from 'node:crypto';
import type { DurationMs } from '@hearth/profile-model';
import { toHearthError } from '../../platform/http/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import type { ComparisonKey, ComparisonLease, ComparisonRepository } from './comparison.repository.js';
import type { ComparisonRows } from './build-comparison-input.js';

/** Reads everything that one comparison needs. @throws {HearthError} what cannot be compared, and why */
export type GatherRows = (comparison: ComparisonLease, signal: AbortSignal) => Promise<ComparisonRows>;

export interface ComparisonRunnerOptions {
  /** A worker that has not been heard of for so long is taken for dead. Default 15 s. */
  readonly leaseMs?: DurationMs;
  /** Runs of one comparison before it counts as failed. Default 5. */
  readonly maxAttempts?: number;
}

/** Computes comparisons, each under a lease that is extended while the work goes on. */
export class ComparisonRunner {
  readonly #comparisons: ComparisonRepository;
  readonly #pool: WorkerPool;
  readonly #gather: GatherRows;
  readonly #leaseMs: DurationMs;
  readonly #maxAttempts: number;

  constructor(
    comparisons: ComparisonRepository,
    pool: WorkerPool,
    gather: GatherRows,
    { leaseMs = 15_000, maxAttempts = 5 }: ComparisonRunnerOptions = {},
  ) {
    this.#comparisons = comparisons;
    this.#pool = pool;
    this.#gather = gather;
    this.#leaseMs = leaseMs;
    this.#maxAttempts = maxAttempts;
  }

  /** Does nothing if another worker has it or it is done. @throws what went wrong, once the row is free for another try */
  async run(key: ComparisonKey): Promise<void> {
    const lease = await this.#comparisons.claim(key, randomUUID(), this.#leaseMs);
    if (lease === undefined) return;
    // An error ends a last try by itself; only a worker that died leaves the row running after it, and the next may die the same way.
    if (lease.attempts > this.#maxAttempts) {
      await this.#fail(lease, lease.attempts - 1, 'the worker was lost while it computed');
      return;
    }
    const lost = new AbortController();
    const heartbeat = setInterval(() => {
      // A database that is away for a moment is not a lost lease: the next beat tells.
      this.#comparisons.extendLease(lease, this.#leaseMs).then(
        (held) => {
          if (!held) lost.abort();
        },
        () => undefined,
      );
    }, this.#leaseMs / 3);
    try {
      const rows = await this.#gather(lease, lost.signal);
      const result = await this.#pool.run<ComparisonRows, Uint8Array>('features/comparison/compare.worker.js', rows, {
        signal: lost.signal,
      });
      await this.#comparisons.finish(lease, result);
    } catch (error) {
      if (!lost.signal.aborted) await this.#giveBack(lease, error);
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #giveBack(lease: ComparisonLease, error: unknown): Promise<void> {
    // A refusal stays one, however often it is asked; anything else may be gone the next time.
    const known = toHearthError(error);
    if (known.status < 500) {
      await this.#comparisons.fail(lease, { code: known.code, message: known.detail });
      return;
    }
    if (lease.attempts >= this.#maxAttempts) {
      await this.#fail(lease, lease.attempts, error instanceof Error ? error.message : String(error));
    } else {
      await this.#comparisons.release(lease);
    }
    throw error;
  }

  async #fail(lease: ComparisonLease, tries: number, why: string): Promise<void> {
    await this.#comparisons.fail(lease, { code: 'COMPARISON_FAILED', message: `given up after ${tries} tries: ${why}` });
  }
}
