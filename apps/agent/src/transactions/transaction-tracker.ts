import type { Label } from '@hearth/profile-model';
import type { Outcome, TransactionKind } from '@hearth/wire-format';
import type { ContextWiring } from './context-wiring.js';
import { Transaction } from './transaction.js';
import { TransactionPeriod } from './transaction-period.js';

/** Begins and ends transactions, and counts them in the period in which they end. */
export class TransactionTracker {
  readonly wiring: ContextWiring;
  /** Called when a transaction has ended and its labels are final; what is measured beside its samples is filed then. */
  onEnded: ((transaction: Transaction) => void) | undefined;
  #period = new TransactionPeriod();

  constructor(wiring: ContextWiring) {
    this.wiring = wiring;
  }

  get period(): TransactionPeriod {
    return this.#period;
  }

  begin(kind: TransactionKind, name: string | undefined, labels: readonly Label[]): Transaction {
    const transaction = new Transaction(kind, name);
    if (labels.length > 0) transaction.addLabels(labels);
    return transaction;
  }

  /** Names it once it is known; the first name stays. */
  nameOnce(transaction: Transaction, name: string): void {
    if (transaction.name !== undefined) return;
    if (transaction.sentAs !== undefined) this.#period.lateLabels += 1;
    transaction.name = name;
  }

  /** Counts it; its second end is none. */
  end(transaction: Transaction, outcome: Outcome): void {
    if (transaction.outcome !== undefined) return;
    transaction.outcome = outcome;
    transaction.findName = undefined; // it holds the request
    this.#period.count(transaction, outcome, Math.max(0, Math.round((performance.now() - transaction.startedAtMs) * 1000)));
    this.onEnded?.(transaction);
  }

  /** Adds to the innermost transaction that runs here. @returns Whether there is one. */
  tag(labels: readonly Label[]): boolean {
    const transaction = this.wiring.current()?.transaction;
    if (transaction === undefined) return false;
    this.#period.lateLabels += transaction.addLabels(labels);
    return true;
  }

  /** Hands out what was counted, and counts anew. */
  endPeriod(): TransactionPeriod {
    const ended = this.#period;
    this.#period = new TransactionPeriod();
    return ended;
  }
}
