import type { LabelSetIndex } from '@hearth/profile-model';
import { OpenList, type OpenPlace } from '../safety/open-list.js';
import type { RawFunction } from '../samplers/stack-tables.js';
import type { Scope, Transaction } from '../transactions/transaction.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import { MAX_OPERATIONS, type OperationIndex, type OperationTable } from './operation-table.js';
import { WaitUnion } from './wait-union.js';

/** A stack that was seen of an operation, and how many microseconds of waiting it stands for before it is scaled. */
export interface SeenStack {
  readonly framesRootFirst: readonly RawFunction[];
  readonly weight: number;
}

/** What one operation cost in one scope: exact sums, and the stacks that were seen. */
export interface WaitTotal {
  readonly operation: OperationIndex;
  micros: number;
  count: number;
  readonly stacks: SeenStack[];
}

/** The waits of one period. */
export interface WaitPeriod {
  readonly totals: readonly (WaitTotal & { readonly labelSet: LabelSetIndex })[];
  /** Of the transactions that finished: how long each waited for at least one operation, summed. */
  readonly awaited: readonly { readonly labelSet: LabelSetIndex; readonly micros: number; readonly count: number }[];
}

/** A wait that has ended. */
export interface EndedWait {
  readonly operation: OperationIndex;
  /** What was current when it began; `undefined`: no transaction. */
  readonly scope: Scope | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly stack: SeenStack | undefined;
}

interface OpenTotal extends WaitTotal {
  readonly scope: Scope;
}

/** What an unfinished transaction has waited for. */
interface OpenTransaction {
  readonly transaction: Transaction;
  readonly totals: Map<string, OpenTotal>;
  /** It has waited one period for its name and labels. */
  isOld: boolean;
}

/** Totals of unfinished transactions; what is more is sent with the labels that are known. */
const MAX_OPEN_TOTALS = 5_000;
/** Totals of one period; beyond, operations are counted as their library's `(other)`. */
const MAX_TOTALS = 10_000;
/** Above any row of an operation: the table has at most one `(other)` more for each of its libraries. */
const OPERATION_ROWS = MAX_OPERATIONS * 2;

/**
 * Exact sums of all waits by label set and operation. Those of an unfinished transaction wait for its name and labels as its samples do:
 * one period at most.
 */
export class WaitLedger {
  readonly #operations: OperationTable;
  /** The period that runs: where finished transactions have their label set. */
  readonly #period: () => TransactionPeriod;
  #totals = new Map<number, WaitTotal & { labelSet: LabelSetIndex }>();
  #awaited = new Map<LabelSetIndex, { labelSet: LabelSetIndex; micros: number; count: number }>();
  readonly #open = new OpenList<OpenTransaction>();
  readonly #placeOf = new WeakMap<Transaction, OpenPlace<OpenTransaction>>();
  #openTotals = 0;
  /** Weak: nobody says so when a transaction is given up without an end. */
  readonly #unions = new WeakMap<Transaction, WaitUnion>();

  constructor(operations: OperationTable, period: () => TransactionPeriod) {
    this.#operations = operations;
    this.#period = period;
  }

  add(wait: EndedWait): void {
    const { scope, operation } = wait;
    const transaction = scope?.transaction;
    let total: WaitTotal | undefined;
    if (scope !== undefined && transaction !== undefined && transaction.outcome === undefined) {
      this.#unionOf(transaction).add(wait.startMs, wait.endMs);
      total = this.#openTotal(transaction, scope, operation);
    }
    this.#addTo(total ?? this.#total(this.#period(), scope, operation), wait);
  }

  /** Its labels are final now. */
  transactionEnded(transaction: Transaction): void {
    const period = this.#period();
    this.#close(transaction, period);
    const union = this.#unions.get(transaction);
    if (union === undefined) return;
    this.#unions.delete(transaction);
    const labelSet = period.rowOfScope(transaction);
    const sum = this.#awaited.get(labelSet) ?? { labelSet, micros: 0, count: 0 };
    const { totalMs } = union;
    if (transaction.record !== undefined) transaction.record.awaitedMs = totalMs;
    sum.micros += totalMs * 1000;
    sum.count += 1;
    this.#awaited.set(labelSet, sum);
  }

  /**
   * Hands out what was counted, and counts anew.
   *
   * @param period - The one that has ended, with the label sets of its samples.
   */
  endPeriod(period: TransactionPeriod, isLast: boolean): WaitPeriod {
    for (const open of this.#open) {
      if (isLast || open.isOld || open.transaction.sentAs !== undefined) this.#close(open.transaction, period);
      else open.isOld = true;
    }
    const ended = { totals: [...this.#totals.values()], awaited: [...this.#awaited.values()] };
    this.#totals = new Map();
    this.#awaited = new Map();
    return ended;
  }

  #addTo(total: WaitTotal, { startMs, endMs, stack }: EndedWait): void {
    total.micros += (endMs - startMs) * 1000;
    total.count += 1;
    if (stack !== undefined) total.stacks.push(stack);
  }

  #unionOf(transaction: Transaction): WaitUnion {
    let union = this.#unions.get(transaction);
    if (union === undefined) this.#unions.set(transaction, (union = new WaitUnion()));
    return union;
  }

  #openTotal(transaction: Transaction, scope: Scope, operation: OperationIndex): OpenTotal | undefined {
    let place = this.#placeOf.get(transaction);
    const key = operation + keyOfScope(scope);
    const known = place?.item.totals.get(key);
    if (known !== undefined) return known;
    if (this.#openTotals >= MAX_OPEN_TOTALS) return undefined;
    if (place === undefined) {
      place = this.#open.add({ transaction, totals: new Map(), isOld: false });
      this.#placeOf.set(transaction, place);
    }
    const total: OpenTotal = { scope, operation, micros: 0, count: 0, stacks: [] };
    place.item.totals.set(key, total);
    this.#openTotals += 1;
    return total;
  }

  /** Files what a transaction has waited for under the labels it has now. */
  #close(transaction: Transaction, period: TransactionPeriod): void {
    const place = this.#placeOf.get(transaction);
    if (place === undefined) return;
    this.#placeOf.delete(transaction);
    this.#open.remove(place);
    const { totals } = place.item;
    this.#openTotals -= totals.size;
    for (const { scope, operation, micros, count, stacks } of totals.values()) {
      const total = this.#total(period, scope, operation);
      total.micros += micros;
      total.count += count;
      total.stacks.push(...stacks);
    }
  }

  #total(period: TransactionPeriod, scope: Scope | undefined, operation: OperationIndex): WaitTotal {
    const labelSet = period.rowOfScope(scope);
    const key = labelSet * OPERATION_ROWS + operation;
    const known = this.#totals.get(key);
    if (known !== undefined) return known;
    if (this.#totals.size >= MAX_TOTALS) {
      const other = this.#operations.otherOf(operation);
      if (other !== operation) return this.#total(period, scope, other);
    }
    const total = { labelSet, operation, micros: 0, count: 0, stacks: [] };
    this.#totals.set(key, total);
    return total;
  }
}

/** What tells scopes of one transaction apart: every call of `span` makes another object. */
function keyOfScope({ spanName, scopeLabels }: Scope): string {
  const span = spanName === undefined ? '' : ` ${spanName}`;
  return scopeLabels === undefined ? span : `${span}\n${JSON.stringify(scopeLabels.clean)}`;
}
