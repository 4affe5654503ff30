import type { DurationMs } from '@hearth/profile-model';
import { OpenList, type OpenPlace } from '../safety/open-list.js';
import type { Transaction } from '../transactions/transaction.js';
import type { Wait } from './wait.js';

/** Stacks of operations that have not ended; where there are more, the oldest is let go. */
export const MAX_OPEN_CAPTURES = 2_000;
/** Of those, such as count only within their transaction: timers are often cleared, and then never end. */
export const MAX_OPEN_WITHIN = 200;
/** An operation that has not ended by then may never end: its stack is let go, its time still counts. */
export const FORGET_CAPTURE_AFTER_MS: DurationMs = 60_000;

/** Where a wait stands in each of the lists. */
interface Places {
  readonly all: OpenPlace<Wait>;
  readonly within:
    { readonly ofAll: OpenPlace<Wait>; readonly ofTransaction: OpenList<Wait>; readonly place: OpenPlace<Wait> } | undefined;
}

/**
 * Stacks that wait for the end of their operation. Each holds what its functions were called on, as a request of the host, so they are few
 * and not kept for long.
 */
export class OpenCaptures {
  /** Both in the order of their beginning. */
  readonly #all = new OpenList<Wait>();
  readonly #within = new OpenList<Wait>();
  readonly #placesOf = new WeakMap<Wait, Places>();
  readonly #ofTransaction = new WeakMap<Transaction, OpenList<Wait>>();

  get size(): number {
    return this.#all.size;
  }

  /** @param within - The transaction with whose end its stack is let go. */
  add(wait: Wait, within: Transaction | undefined): void {
    this.forgetOld(wait.startMs);
    if (this.#all.size >= MAX_OPEN_CAPTURES) this.forget(this.#all.first!);
    if (within !== undefined && this.#within.size >= MAX_OPEN_WITHIN) this.forget(this.#within.first!);
    let ofTransaction = within && this.#ofTransaction.get(within);
    if (within !== undefined && ofTransaction === undefined) this.#ofTransaction.set(within, (ofTransaction = new OpenList()));
    this.#placesOf.set(wait, {
      all: this.#all.add(wait),
      within: ofTransaction && { ofAll: this.#within.add(wait), ofTransaction, place: ofTransaction.add(wait) },
    });
  }

  forget(wait: Wait): void {
    wait.captured = undefined;
    const places = this.#placesOf.get(wait);
    if (places === undefined) return;
    this.#placesOf.delete(wait);
    this.#all.remove(places.all);
    if (places.within === undefined) return;
    this.#within.remove(places.within.ofAll);
    places.within.ofTransaction.remove(places.within.place);
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
}
