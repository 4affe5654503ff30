import type { Label, LabelSet } from '@hearth/profile-model';
import { NO_SPAN, type Outcome, type TransactionKind } from '@hearth/wire-format';
import type { SampleCopies } from '../exemplars/sample-copies.js';
import { MAX_LABELS, type Labels } from './label-limits.js';
import { TransactionRecord, type RecordedSpan } from './transaction-record.js';

/**
 * What is current at one point of the host's work, and so what a sample refers to: a transaction, or a span inside one.
 * Names and labels are looked up only when the period is packed, because a route is known late.
 */
export interface Scope {
  /** `undefined`: only labels are current. */
  readonly transaction: Transaction | undefined;
  readonly spanName: string | undefined;
  /** Of the recorded spans of the transaction the one that this is, or is in; `NO_SPAN`. */
  readonly spanRow: number;
  readonly scopeLabels?: ScopeLabels | undefined;
}

/** Labels of the samples in a scope, and of nothing else: no count carries them, and they do not change. */
export interface ScopeLabels {
  readonly given: Labels;
  readonly clean: readonly Label[];
}

/** Transactions around one of which it knows. */
const MAX_PARENTS = 8;

/** One unit of work of the host, from its start to its outcome. The outermost scope of its own work. */
export class Transaction implements Scope {
  readonly transaction: Transaction = this;
  readonly spanName = undefined;
  readonly spanRow = NO_SPAN;
  readonly scopeLabels = undefined;
  readonly kind: TransactionKind;
  readonly startedAtMs = performance.now();
  /** `undefined` until it is known: the route of a request is known late. */
  name: string | undefined;
  /** Asked while there is no name, when samples are packed: not every framework tells. `undefined` if it is still not known. Never throws. */
  findName: (() => string | undefined) | undefined;
  labels: Map<string, string> | undefined;
  /** What a request asks for behind its route, as a GraphQL operation: a part of its name. */
  operation: string | undefined;
  outcome: Outcome | undefined;
  /** What its first packed sample or its count was sent with. It does not change any more, so that both carry the same. */
  sentAs: LabelSet | undefined;
  /** Should it become an exemplar; `undefined` while there is nothing to keep. */
  record: TransactionRecord | undefined;
  /** Its samples, if it is an exemplar or may become one after the period. */
  copies: SampleCopies | undefined;

  /** In which it began, where that is followed; `undefined` for none, or if there are too many: a chain of them would never be let go of. */
  parent: Transaction | undefined;
  #depth = 0;

  constructor(kind: TransactionKind, name: string | undefined) {
    this.kind = kind;
    this.name = name;
  }

  /** Whether `parent`, its parent and so on are all that there are. */
  get knowsParents(): boolean {
    return this.#depth <= MAX_PARENTS;
  }

  /** One of the same name tells nothing more than its own parents do. */
  beganIn(around: Transaction): void {
    const isSame = around.name !== undefined && around.name === this.name;
    this.#depth = around.#depth + (isSame ? 0 : 1);
    if (this.knowsParents) this.parent = isSame ? around.parent : around;
  }

  /** Sets `findName`. V8 allocates a function literal that is assigned to a property straight in its old space, where it would keep its request until the next full collection (decision 0198). */
  nameLater(findName: () => string | undefined): void {
    this.findName = findName;
  }

  /**
   * Beyond `MAX_LABELS` only those it has already change.
   *
   * @returns How many labels came too late: this transaction's samples have been sent without them.
   */
  addLabels(labels: readonly Label[]): number {
    if (this.sentAs !== undefined) {
      this.addContext(labels); // an exemplar still tells them
      return labels.length;
    }
    const all = (this.labels ??= new Map<string, string>());
    for (const [name, value] of labels) if (all.has(name) || all.size < MAX_LABELS) all.set(name, value);
    return 0;
  }

  /** Labels that no sample and no count carries. */
  addContext(labels: readonly Label[]): void {
    if (labels.length > 0 && this.outcome === undefined) (this.record ??= new TransactionRecord()).addContext(labels);
  }
}

/** A step of a transaction: the scope of what runs inside, and what is recorded of it. */
export class Span implements Scope, RecordedSpan {
  readonly transaction: Transaction;
  readonly spanName: string;
  readonly spanRow: number;
  readonly parentRow: number;
  readonly scopeLabels: ScopeLabels | undefined;
  readonly inputs: readonly Label[];
  readonly startedAtMs = performance.now();
  endedAtMs: number | undefined = undefined;
  outcome: Outcome | undefined = undefined;

  constructor(around: Scope, transaction: Transaction, name: string, row: number, inputs: readonly Label[]) {
    this.transaction = transaction;
    this.spanName = name;
    this.spanRow = row;
    this.parentRow = around.spanRow;
    this.scopeLabels = around.scopeLabels;
    this.inputs = inputs;
  }

  /** Its second end is none. */
  end(outcome: Outcome): void {
    if (this.endedAtMs !== undefined) return;
    this.endedAtMs = performance.now();
    this.outcome = outcome;
  }
}
