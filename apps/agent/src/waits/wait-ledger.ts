import { TRANSACTION_LABEL, labelValue, type LabelSetIndex } from '@hearth/profile-model';
import { OpenList, type OpenPlace } from '../safety/open-list.js';
import type { Scope, Transaction } from '../transactions/transaction.js';
import { SPAN_LABEL, type TransactionPeriod } from '../transactions/transaction-period.js';
import { KnownCallers, type SeenStack } from './known-callers.js';
import { MAX_OPERATIONS, type OperationIndex, type OperationTable } from './operation-table.js';
import { WaitUnion } from './wait-union.js';

/** What one operation cost in one scope: exact sums, and the stacks that were seen, where none was those that are known. */
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

/** What a transaction has waited for so far. */
interface TransactionWaits {
  readonly transaction: Transaction;
  readonly union: WaitUnion;
  /** Not filed yet: by what tells their scopes apart, and then by operation. */
  readonly totals: Map<string | undefined, Map<OperationIndex, OpenTotal>>;
  totalCount: number;
  /** Among those that have totals. */
  place: OpenPlace<TransactionWaits> | undefined;
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
  readonly callers = new KnownCallers();
  readonly #operations: OperationTable;
  /** The period that runs: where finished transactions have their label set. */
  readonly #period: () => TransactionPeriod;
  #totals = new Map<number, WaitTotal & { labelSet: LabelSetIndex }>();
  #awaited = new Map<LabelSetIndex, { labelSet: LabelSetIndex; micros: number; count: number }>();
  /** Weak: nobody says so when a transaction is given up without an end. */
  readonly #waitsOf = new WeakMap<Transaction, TransactionWaits>();
  readonly #open = new OpenList<TransactionWaits>();
  #openTotals = 0;

  constructor(operations: OperationTable, period: () => TransactionPeriod) {
    this.#operations = operations;
    this.#period = period;
  }

  add(wait: EndedWait): void {
    const { scope, operation } = wait;
    const transaction = scope?.transaction;
    let total: WaitTotal | undefined;
    if (scope !== undefined && transaction !== undefined && transaction.outcome === undefined) {
      const waits = this.#waitsOf.get(transaction) ?? this.#newWaits(transaction);
      waits.union.add(wait.startMs, wait.endMs);
      total = this.#openTotal(waits, scope, operation);
    }
    this.#addTo(total ?? this.#total(this.#period(), scope, operation), wait);
  }

  /** Its labels are final now. */
  transactionEnded(transaction: Transaction): void {
    const waits = this.#waitsOf.get(transaction);
    if (waits === undefined) return;
    this.#waitsOf.delete(transaction);
    const period = this.#period();
    this.#close(waits, period);
    const labelSet = period.rowOfScope(transaction);
    const sum = this.#awaited.get(labelSet) ?? { labelSet, micros: 0, count: 0 };
    const { totalMs } = waits.union;
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
      if (isLast || open.isOld || open.transaction.sentAs !== undefined) this.#close(open, period);
      else open.isOld = true;
    }
    const ended = { totals: [...this.#totals.values()], awaited: [...this.#awaited.values()] };
    this.#nameCallers(ended.totals, period);
    this.#totals = new Map();
    this.#awaited = new Map();
    return ended;
  }

  /** Operations of which no stack was seen in this period have those that were seen before, or with other labels. */
  #nameCallers(totals: WaitPeriod['totals'], period: TransactionPeriod): void {
    const { labelSets } = period.labelSets;
    const places = labelSets.map((set) => [labelValue(set, TRANSACTION_LABEL) ?? '', labelValue(set, SPAN_LABEL) ?? ''] as const);
    for (const { operation, labelSet, stacks } of totals)
      if (stacks.length > 0) this.callers.learn(operation, ...places[labelSet]!, stacks);
    for (const { operation, labelSet, stacks } of totals)
      if (stacks.length === 0) stacks.push(...this.callers.of(operation, ...places[labelSet]!));
  }

  #addTo(total: WaitTotal, { startMs, endMs, stack }: EndedWait): void {
    total.micros += (endMs - startMs) * 1000;
    total.count += 1;
    if (stack !== undefined) total.stacks.push(stack);
  }

  #newWaits(transaction: Transaction): TransactionWaits {
    const waits = { transaction, union: new WaitUnion(), totals: new Map(), totalCount: 0, place: undefined, isOld: false };
    this.#waitsOf.set(transaction, waits);
    return waits;
  }

  #openTotal(waits: TransactionWaits, scope: Scope, operation: OperationIndex): OpenTotal | undefined {
    const key = keyOfScope(scope);
    let ofScope = waits.totals.get(key);
    const known = ofScope?.get(operation);
    if (known !== undefined) return known;
    if (this.#openTotals >= MAX_OPEN_TOTALS) return undefined;
    if (waits.place === undefined) {
      waits.place = this.#open.add(waits);
      waits.isOld = false;
    }
    if (ofScope === undefined) waits.totals.set(key, (ofScope = new Map()));
    const total: OpenTotal = { scope, operation, micros: 0, count: 0, stacks: [] };
    ofScope.set(operation, total);
    waits.totalCount += 1;
    this.#openTotals += 1;
    return total;
  }

  /** Files what a transaction has waited for under the labels it has now. */
  #close(waits: TransactionWaits, period: TransactionPeriod): void {
    if (waits.place === undefined) return;
    this.#open.remove(waits.place);
    waits.place = undefined;
    this.#openTotals -= waits.totalCount;
    waits.totalCount = 0;
    for (const ofScope of waits.totals.values()) {
      for (const { scope, operation, micros, count, stacks } of ofScope.values()) {
        const total = this.#total(period, scope, operation);
        total.micros += micros;
        total.count += count;
        total.stacks.push(...stacks);
      }
    }
    waits.totals.clear();
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

/** What tells scopes of one transaction apart: every call of `span` makes another object. No text is made for most. */
function keyOfScope({ spanName, scopeLabels }: Scope): string | undefined {
  return scopeLabels === undefined ? spanName : JSON.stringify([spanName, scopeLabels.clean]);
}
