import type { Transaction } from './transaction.js';

/**
 * What is current at one point of the host's work, and so what a sample refers to: a transaction, or a span inside one.
 * Names and labels are looked up only when the period is packed, because a route is known late.
 */
export interface Scope {
  readonly transaction: Transaction;
  readonly spanName: string | undefined;
}
