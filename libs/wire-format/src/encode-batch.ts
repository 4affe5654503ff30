import { MAX_NAME_LENGTH, type LabelSet } from '@hearth/profile-model';
import type { Batch, BatchProcess, BatchProfile, TransactionCount } from './batch.js';
import { OUTCOMES, RECORDED_LINES, TRANSACTION_KINDS, WIRE_VERSION } from './batch.js';
import { ColumnWriter } from './column-writer.js';
import { WireError } from './errors.js';
import { MAX_LABEL_LENGTH, MAX_TEXT_LENGTH } from './text-limits.js';

/** First bytes of every batch, "HRTH" in ASCII. */
export const BATCH_MAGIC = Uint8Array.of(0x48, 0x52, 0x54, 0x48);

/**
 * One batch as bytes, not compressed: magic, version, length, body. Several may follow each other. docs/formats/batch.md lists the fields.
 *
 * Texts longer than 4,096 characters lose their end, as do labels above 1,024 and names (of service, environment, revision, series) above 200.
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
    fields.varint(texts.rowOf(name, MAX_NAME_LENGTH));
    fields.float64(value);
  }
  const { droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers } = batch.report;
  for (const count of [droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers]) fields.varint(count);
  fields.column(batch.functions.column ?? []); // of version 2

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

  rowOf(text: string, maxLength = MAX_TEXT_LENGTH): number {
    const cut = text.slice(0, maxLength);
    let row = this.#rowOf.get(cut);
    if (row === undefined) {
      row = this.rows.push(cut) - 1;
      this.#rowOf.set(cut, row);
    }
    return row;
  }
}

function writeProcess(writer: ColumnWriter, process: BatchProcess, texts: TextTable): void {
  const text = (value: string): void => {
    writer.varint(texts.rowOf(value));
  };
  const name = (value: string): void => {
    writer.varint(texts.rowOf(value, MAX_NAME_LENGTH));
  };
  text(process.id);
  name(process.service);
  name(process.environment);
  text(process.host);
  text(process.nodeVersion);
  text(process.agentVersion);
  name(process.revision);
  text(process.revisionSource);
  text(process.version);
  text(process.rootDir);
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
    functions.line.length !== functions.length ||
    (functions.column?.length ?? functions.length) !== functions.length
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
  writer.column(labels.map(([name]) => texts.rowOf(name, MAX_LABEL_LENGTH)));
  writer.column(labels.map(([, value]) => texts.rowOf(value, MAX_LABEL_LENGTH)));
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
