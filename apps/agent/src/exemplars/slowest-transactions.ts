import type { Micros } from '@hearth/profile-model';
import { MAX_EXEMPLARS } from '@hearth/wire-format';
import type { Transaction } from '../transactions/transaction.js';

/** A transaction that has ended. */
export interface EndedTransaction {
  readonly transaction: Transaction;
  readonly durationMicros: Micros;
}

/** Of the transactions that ended in one period, the slowest of each name; of too many names those that were slowest. */
export class SlowestTransactions {
  readonly #ofName = new Map<string, EndedTransaction>();
  /** What one of another name must be slower than, once there are as many as there may be. */
  #leastMicros = 0;

  get all(): EndedTransaction[] {
    return [...this.#ofName.values()];
  }

  /** @returns Whether it is one of them, for now. */
  offer(name: string, transaction: Transaction, durationMicros: Micros): boolean {
    const known = this.#ofName.get(name);
    if (known === undefined ? durationMicros < this.#leastMicros : durationMicros <= known.durationMicros) return false;
    if (known === undefined && this.#ofName.size >= MAX_EXEMPLARS && !this.#makeRoom(durationMicros)) return false;
    if (known !== undefined) known.transaction.record = undefined; // nobody asks for it any more
    this.#ofName.set(name, { transaction, durationMicros });
    return true;
  }

  /** Takes the fastest out if this one is slower. */
  #makeRoom(durationMicros: Micros): boolean {
    let fastest: [string, EndedTransaction] | undefined;
    for (const one of this.#ofName) if (fastest === undefined || one[1].durationMicros < fastest[1].durationMicros) fastest = one;
    this.#leastMicros = fastest![1].durationMicros;
    if (durationMicros <= this.#leastMicros) return false;
    fastest![1].transaction.record = undefined;
    this.#ofName.delete(fastest![0]);
    return true;
  }
}
