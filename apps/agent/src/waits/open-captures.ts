import type { DurationMs } from '@hearth/profile-model';
import type { Transaction } from '../transactions/transaction.js';
import type { Wait } from './wait.js';

/** Stacks of operations that have not ended; where there are more, the oldest is let go. */
export const MAX_OPEN_CAPTURES = 2_000;
/** Of those, such as count only within their transaction: timers are often cleared, and then never end. */
export const MAX_OPEN_WITHIN = 200;
/** An operation that has not ended by then may never end: its stack is let go, its time still counts. */
export const FORGET_CAPTURE_AFTER_MS: DurationMs = 60_000;

/**
 * Stacks that wait for the end of their operation. Each holds what its functions were called on, as a request of the host, so they are few
 * and not kept for long.
 */
export class OpenCaptures {
  /** Both in the order of their beginning. */
  readonly #all = new Set<Wait>();
  readonly #within = new Set<Wait>();
  readonly #ofTransaction = new Map<Transaction, Set<Wait>>();

  get size(): number {
    return this.#all.size;
  }

  /** @param within - The transaction with whose end its stack is let go. */
  add(wait: Wait, within: Transaction | undefined): void {
    this.forgetOld(wait.startMs);
    if (this.#all.size >= MAX_OPEN_CAPTURES) this.#forgetFirst(this.#all);
    this.#all.add(wait);
    if (within === undefined) return;
    if (this.#within.size >= MAX_OPEN_WITHIN) this.#forgetFirst(this.#within);
    this.#within.add(wait);
    const waits = this.#ofTransaction.get(within) ?? new Set();
    this.#ofTransaction.set(within, waits.add(wait));
  }

  forget(wait: Wait): void {
    wait.captured = undefined;
    this.#all.delete(wait);
    const transaction = this.#within.delete(wait) ? wait.scope?.transaction : undefined;
    const waits = transaction && this.#ofTransaction.get(transaction);
    if (waits?.delete(wait) === true && waits.size === 0) this.#ofTransaction.delete(transaction!);
  }

  forgetOld(nowMs: number): void {
    for (const wait of this.#all) {
      if (nowMs - wait.startMs < FORGET_CAPTURE_AFTER_MS) break;
      this.forget(wait);
    }
  }

  transactionEnded(transaction: Transaction): void {
    for (const wait of this.#ofTransaction.get(transaction) ?? []) this.forget(wait);
  }

  /** Lets go of all: the host's timers may hold the waits themselves. */
  clear(): void {
    for (const wait of this.#all) this.forget(wait);
  }

  #forgetFirst(waits: ReadonlySet<Wait>): void {
    for (const wait of waits) {
      this.forget(wait);
      return;
    }
  }
}
