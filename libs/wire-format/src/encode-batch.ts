import type { LabelSet } from '@hearth/profile-model';
import type { Batch, BatchProcess, BatchProfile, TransactionCount } from './batch.js';
import { OUTCOMES, RECORDED_LINES, TRANSACTION_KINDS, WIRE_VERSION } from './batch.js';
import { ColumnWriter } from './column-writer.js';
import { WireError } from './errors.js';

/** First bytes of every batch, "HRTH" in ASCII. */
export const BATCH_MAGIC = Uint8Array.of(0x48, 0x52, 0x54, 0x48);
/** UTF-16 units; longer texts lose their end, because the server would refuse them and with them the batch. */
const MAX_TEXT_LENGTH = 4096;

/**
 * One batch as bytes, not compressed: magic, version, length, body. Several may follow each other. docs/formats/batch.md lists the fields.
 *
 * Texts longer than 4,096 characters lose their end.
 *
 * @throws {WireError} `WIRE_VALUE` for a number that is not whole, negative or not finite where it must not be; `WIRE_COUNT` for columns of different length
 */
export function encodeBatch(batch: Batch): Uint8Array {
  const texts = new TextTable();
  const fields = new ColumnWriter(); // behind the texts, which are complete only after it
  writeProcess(fields, batch.process, texts);
  fields.varint(batch.sequence);
  fields.varint(batch.startMs);
  fields.varint(batch.durationMs);
  writeFunctionsAndStacks(fields, batch, texts);
  writeLabelSets(fields, batch.labelSets, texts);
  fields.varint(batch.profiles.length);
  for (const profile of batch.profiles) writeProfile(fields, profile, texts);
  writeTransactions(fields, batch.transactions);
  fields.varint(batch.series.length);
  for (const { name, value } of batch.series) {
    if (!Number.isFinite(value)) throw new WireError('WIRE_VALUE', `series ${name} is ${value}`);
    fields.varint(texts.rowOf(name));
    fields.float64(value);
  }
  const { droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers } = batch.report;
  for (const count of [droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers]) fields.varint(count);

  const body = new ColumnWriter();
  body.texts(texts.rows);
  body.raw(fields.finish());
  const message = new ColumnWriter();
  message.raw(BATCH_MAGIC);
  message.varint(WIRE_VERSION);
  message.bytes(body.finish());
  return message.finish();
}

/** Gives each distinct text one row, in the order of first sight. */
class TextTable {
  readonly #rowOf = new Map<string, number>();
  readonly rows: string[] = [];

  rowOf(text: string): number {
    let row = this.#rowOf.get(text);
    if (row === undefined) {
      row = this.rows.push(text.slice(0, MAX_TEXT_LENGTH)) - 1;
      this.#rowOf.set(text, row);
    }
    return row;
  }
}

function writeProcess(writer: ColumnWriter, process: BatchProcess, texts: TextTable): void {
  for (const text of [
    process.id,
    process.service,
    process.environment,
    process.host,
    process.nodeVersion,
    process.agentVersion,
  ]) {
    writer.varint(texts.rowOf(text));
  }
  for (const text of [process.revision, process.revisionSource, process.version, process.rootDir])
    writer.varint(texts.rowOf(text));
  writer.varint(process.startedAtMs);
  writer.varint(process.pid);
  writer.varint(process.isDirty ? 1 : 0);
  writer.float64(process.rateHz);
  writeLabelSets(writer, [process.labels], texts);
}

function writeFunctionsAndStacks(writer: ColumnWriter, { functions, stacks }: Batch, texts: TextTable): void {
  if (
    functions.name.length !== functions.length ||
    functions.scriptName.length !== functions.length ||
    functions.line.length !== functions.length
  ) {
    throw new WireError('WIRE_COUNT', `function table of ${functions.length} rows has columns of another length`);
  }
  writer.column(functions.name.map((name) => texts.rowOf(name)));
  writer.column(functions.scriptName.map((name) => texts.rowOf(name)));
  writer.column(functions.line);
  writer.deltaColumn(stacks.parent.subarray(0, stacks.length));
  writer.deltaColumn(stacks.functionRow.subarray(0, stacks.length));
}

/** How many labels each set has, then the names and the values of all. */
function writeLabelSets(writer: ColumnWriter, labelSets: readonly LabelSet[], texts: TextTable): void {
  writer.column(labelSets.map((labels) => labels.length));
  const labels = labelSets.flat();
  writer.column(labels.map(([name]) => texts.rowOf(name)));
  writer.column(labels.map(([, value]) => texts.rowOf(value)));
}

function writeProfile(writer: ColumnWriter, profile: BatchProfile, texts: TextTable): void {
  const { sampleStack, sampleLabelSet, sampleValue, sampleCount } = profile;
  if (
    sampleLabelSet.length !== sampleStack.length ||
    sampleValue.length !== sampleStack.length ||
    sampleCount.length !== sampleStack.length
  ) {
    throw new WireError('WIRE_COUNT', `samples of ${profile.typeId} have columns of different length`);
  }
  writer.varint(texts.rowOf(profile.typeId));
  writer.varint(RECORDED_LINES.indexOf(profile.lines));
  writer.deltaColumn(sampleStack);
  writer.deltaColumn(sampleLabelSet);
  writer.column(sampleValue);
  writer.column(sampleCount);
}

function writeTransactions(writer: ColumnWriter, transactions: readonly TransactionCount[]): void {
  writer.varint(transactions.length);
  for (const transaction of transactions) {
    if (transaction.sketchBucket.length !== transaction.sketchCount.length) {
      throw new WireError(
        'WIRE_COUNT',
        `sketch of ${transaction.sketchBucket.length} buckets with ${transaction.sketchCount.length} counts`,
      );
    }
    writer.varint(transaction.labelSet);
    writer.varint(TRANSACTION_KINDS.indexOf(transaction.kind));
    writer.varint(OUTCOMES.indexOf(transaction.outcome));
    writer.varint(transaction.count);
    writer.varint(transaction.durationSumMicros);
    writer.deltaColumn(transaction.sketchBucket);
    writer.column(transaction.sketchCount);
  }
}
