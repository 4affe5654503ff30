import { DurationSketch, type LabelSetIndex, type Micros } from '@hearth/profile-model';
import { OUTCOMES, TRANSACTION_KINDS, type Outcome, type TransactionCount, type TransactionKind } from '@hearth/wire-format';
import { SlowestTransactions } from '../exemplars/slowest-transactions.js';
import { LabelSetTable } from './label-set-table.js';
import type { Scope, Transaction } from './transaction.js';

/** The label that a span puts on the samples taken inside it. */
export const SPAN_LABEL = 'span';
/** The name of a transaction that is sent before it has one. */
export const UNNAMED = '(unnamed)';

/** Transactions of one label set and outcome, as they are sent. */
export type CountedTransactions = TransactionCount & { readonly kind: TransactionKind };

interface Counted {
  readonly labelSet: LabelSetIndex;
  readonly kind: TransactionKind;
  readonly outcome: Outcome;
  count: number;
  durationSumMicros: Micros;
  readonly sketch: DurationSketch;
}

/** The transactions that finished in one period, counted; and the label sets that these counts and the period's samples share. */
export class TransactionPeriod {
  readonly labelSets: LabelSetTable;
  readonly slowest = new SlowestTransactions();
  /** Labels that changed after their samples had been sent. */
  lateLabels = 0;
  readonly #counted = new Map<number, Counted>();

  constructor(labels: 'kept' | 'dropped' = 'kept') {
    this.labelSets = new LabelSetTable(labels);
  }

  get counts(): CountedTransactions[] {
    return [...this.#counted.values()].map(({ sketch, ...counted }) => {
      const { bucket, count } = sketch.toBuckets();
      return { ...counted, sketchBucket: bucket, sketchCount: count };
    });
  }

  count(transaction: Transaction, outcome: Outcome, durationMicros: Micros): void {
    const counted = this.#countedOf(this.#rowOf(transaction), transaction.kind, outcome);
    counted.count += 1;
    counted.durationSumMicros += durationMicros;
    counted.sketch.add(durationMicros);
  }

  /** Adds what another thread has counted; its label set is a row of this period. */
  addCounted({ labelSet, kind, outcome, count, durationSumMicros, sketchBucket, sketchCount }: CountedTransactions): void {
    const counted = this.#countedOf(labelSet, kind, outcome);
    counted.count += count;
    counted.durationSumMicros += durationSumMicros;
    counted.sketch.merge(DurationSketch.fromBuckets(sketchBucket, sketchCount));
  }

  /** Where samples of this scope belong. From here on the transaction's name and labels do not change any more. */
  rowOfScope(scope: Scope | undefined): LabelSetIndex {
    if (scope === undefined) return this.labelSets.rowOfSent([]);
    const row = scope.transaction === undefined ? this.labelSets.rowOfSent([]) : this.#rowOf(scope.transaction);
    const labels = [...(scope.scopeLabels?.clean ?? [])];
    if (scope.spanName !== undefined) labels.push([SPAN_LABEL, scope.spanName]);
    return labels.length === 0 ? row : this.labelSets.rowWithLabels(row, labels);
  }

  #countedOf(labelSet: LabelSetIndex, kind: TransactionKind, outcome: Outcome): Counted {
    const key =
      (labelSet * OUTCOMES.length + OUTCOMES.indexOf(outcome)) * TRANSACTION_KINDS.length + TRANSACTION_KINDS.indexOf(kind);
    let counted = this.#counted.get(key);
    if (counted === undefined) {
      counted = { labelSet, kind, outcome, count: 0, durationSumMicros: 0, sketch: new DurationSketch() };
      this.#counted.set(key, counted);
    }
    return counted;
  }

  #rowOf(transaction: Transaction): LabelSetIndex {
    if (transaction.sentAs !== undefined) return this.labelSets.rowOfSent(transaction.sentAs);
    transaction.name ??= transaction.findName?.();
    const row = this.labelSets.rowOfTransaction(transaction.name ?? UNNAMED, transaction.labels);
    transaction.sentAs = this.labelSets.labelSets[row]!;
    return row;
  }
}
