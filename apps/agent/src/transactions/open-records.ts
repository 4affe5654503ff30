import { OpenList } from '../safety/open-list.js';
import { TransactionRecord, type RecordedWait } from './transaction-record.js';
import { Span, type Scope, type Transaction } from './transaction.js';
import type { Label } from '@hearth/profile-model';

/** Spans and waits of all transactions that run; where there are more, those of the one that recorded first are let go. */
export const MAX_OPEN_ROWS = 10_000;
/** Inputs of one span, and of all spans of one transaction. */
export const MAX_INPUTS = 16;
const MAX_INPUTS_OF_TRANSACTION = 200;

/** Keeps what transactions did while they run: any of them may become the slowest. */
export class OpenRecords {
  /** In the order of their first row. Those of transactions that never end are here until there is no more room. */
  readonly #open = new OpenList<TransactionRecord>();
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** What its samples and waits refer to from here on. Too many steps of one transaction belong to the step around them. */
  beginSpan(around: Scope, transaction: Transaction, name: string, inputs: readonly Label[]): Span {
    const record = transaction.outcome === undefined ? (transaction.record ??= new TransactionRecord()) : undefined;
    if (record?.hasRoomForSpan !== true) return new Span(around, transaction, name, around.spanRow, []);
    const inputsLeft = MAX_INPUTS_OF_TRANSACTION - record.inputCount;
    const span = new Span(around, transaction, name, record.spans.length, inputs.slice(0, Math.min(MAX_INPUTS, inputsLeft)));
    record.inputCount += span.inputs.length;
    record.spans.push(span);
    this.#added(record);
    return span;
  }

  addWait(transaction: Transaction, wait: RecordedWait): void {
    const record = (transaction.record ??= new TransactionRecord());
    record.waitCount += 1;
    if (!record.hasRoomForWait) return;
    record.waits.push(wait);
    this.#added(record);
  }

  /** It is kept, or let go, by somebody else. */
  ended(record: TransactionRecord): void {
    if (record.place !== undefined && this.#open.remove(record.place)) this.#rows -= record.rows;
  }

  #added(record: TransactionRecord): void {
    record.place ??= this.#open.add(record);
    this.#rows += 1;
    if (this.#rows <= MAX_OPEN_ROWS) return;
    const oldest = this.#open.first!;
    this.ended(oldest);
    oldest.letGo();
  }
}
