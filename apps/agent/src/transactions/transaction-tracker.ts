import type { Label, Micros } from '@hearth/profile-model';
import type { Outcome, TransactionKind } from '@hearth/wire-format';
import { currentTrace, hasOpenTelemetry } from '../exemplars/opentelemetry.js';
import type { SampledCost } from '../governor/own-cost.js';
import type { WatchedHandlers } from '../lost-context/watched-handlers.js';
import type { ContextWiring } from './context-wiring.js';
import { cleanLabels, type Labels } from './label-limits.js';
import type { LabelRules } from './label-rules.js';
import { OpenRecords } from './open-records.js';
import { TransactionRecord, type RecordedWait } from './transaction-record.js';
import { Transaction, type Scope, type Span } from './transaction.js';
import { TransactionPeriod } from './transaction-period.js';

/** Begins and ends transactions, counts them in the period in which they end, and keeps what the slowest of them did. */
export class TransactionTracker {
  readonly wiring: ContextWiring;
  /** Called when a transaction has ended and its labels are final; what is measured beside its samples is filed then. */
  onEnded: ((transaction: Transaction) => void) | undefined;
  /** Where it says what it takes of the host. */
  cost: SampledCost | undefined;
  /** Called with the duration of a transaction that took as long or longer. */
  slow: { readonly fromMicros: Micros; readonly seen: (durationMicros: Micros) => void } | undefined;
  /** Where it is seen which transactions lose their context. */
  handlers: WatchedHandlers | undefined;
  /** Of periods that begin from now on. `dropped`: transactions keep their names only. */
  labels: 'kept' | 'dropped' = 'kept';
  readonly #rules: LabelRules | undefined;
  readonly #records = new OpenRecords();
  #period = new TransactionPeriod();

  /** @param rules - What the host forbids of labels, inputs and context. */
  constructor(wiring: ContextWiring, rules?: LabelRules) {
    this.wiring = wiring;
    this.#rules = rules;
  }

  get period(): TransactionPeriod {
    return this.#period;
  }

  /** @param handler - The host's function that is the transaction, if it is one. */
  begin(kind: TransactionKind, name: string | undefined, labels: readonly Label[], handler?: unknown): Transaction {
    const transaction = new Transaction(kind, name);
    if (labels.length > 0) transaction.addLabels(labels);
    if (this.handlers !== undefined && handler !== undefined) {
      const around = this.wiring.current()?.transaction;
      if (around !== undefined) transaction.beganIn(around);
      if (name !== undefined && this.handlers.wants(name)) this.handlers.note(name, handler, kind);
    }
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
    const timed = this.cost?.begin() ?? 0;
    transaction.outcome = outcome;
    transaction.findName = undefined; // it holds the request
    const durationMicros = Math.max(0, Math.round((performance.now() - transaction.startedAtMs) * 1000));
    this.#period.count(transaction, outcome, durationMicros);
    this.onEnded?.(transaction);
    if (transaction.record !== undefined) this.#records.ended(transaction.record);
    if (!this.#period.slowest.offer(transaction.name ?? '', transaction, durationMicros)) transaction.record = undefined;
    else if (transaction.kind === 'custom') this.rememberTrace(transaction);
    this.cost?.end(timed);
    if (this.slow !== undefined && durationMicros >= this.slow.fromMicros) this.slow.seen(durationMicros);
  }

  /** Begins a step of the transaction that runs here; `undefined` without one, and where labels are dropped. */
  beginSpan(name: string, inputs: readonly Label[]): Span | undefined {
    if (this.labels === 'dropped') return undefined;
    const around = this.wiring.current();
    const transaction = around?.transaction;
    if (around === undefined || transaction === undefined) return undefined;
    const timed = this.cost?.begin() ?? 0;
    this.rememberTrace(transaction);
    const span = this.#records.beginSpan(around, transaction, name, inputs);
    this.cost?.end(timed);
    return span;
  }

  /** A wait has ended, within its transaction or after it. */
  addWait(wait: RecordedWait & { readonly scope: Scope | undefined }): void {
    const transaction = wait.scope?.transaction;
    if (transaction !== undefined && transaction.outcome === undefined) this.#records.addWait(transaction, wait);
  }

  /** To be called synchronously where the host's own work runs: there OpenTelemetry's context is that of the transaction. The first trace stays. */
  rememberTrace(transaction: Transaction): void {
    if (!hasOpenTelemetry() || transaction.record?.trace !== undefined) return;
    const trace = currentTrace(transaction.kind);
    if (trace !== undefined) (transaction.record ??= new TransactionRecord()).trace = trace;
  }

  /** What may be sent of the labels, inputs or context that the host gives. @param report - Told of each that throws. */
  clean(labels: Labels | null | undefined, report?: (fault: unknown) => void): Label[] {
    return cleanLabels(labels, this.#rules, report);
  }

  /** Adds to the innermost transaction that runs here. @param context - For exemplars only. @returns Whether there is one. */
  tag(labels: readonly Label[], context: readonly Label[] = []): boolean {
    const transaction = this.wiring.current()?.transaction;
    if (transaction === undefined) return false;
    this.#period.lateLabels += transaction.addLabels(labels);
    transaction.addContext(context);
    this.rememberTrace(transaction);
    return true;
  }

  /** Hands out what was counted, and counts anew. */
  endPeriod(): TransactionPeriod {
    const ended = this.#period;
    this.#period = new TransactionPeriod(this.labels);
    return ended;
  }
}
