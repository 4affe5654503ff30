import { MAX_NAME_LENGTH, type LabelSet } from '@hearth/profile-model';
import type { Batch, BatchProcess, BatchProfile, TransactionCount } from './batch.js';
import { RECORDED_LINES, WIRE_VERSION } from './batch.js';
import { ColumnWriter } from './column-writer.js';
import { WireError } from './errors.js';
import {
  MAX_CONTEXT_LABELS,
  MAX_EXEMPLARS,
  MAX_EXEMPLAR_SAMPLES,
  MAX_EXEMPLAR_SPANS,
  MAX_EXEMPLAR_WAITS,
  type Exemplar,
} from './exemplar.js';
import { MAX_LABEL_LENGTH, MAX_TEXT_LENGTH } from './text-limits.js';
import { COUNTED_KINDS, OUTCOMES, TRANSACTION_KINDS } from './transaction-ends.js';

/** First bytes of every batch, "HRTH" in ASCII. */
export const BATCH_MAGIC = Uint8Array.of(0x48, 0x52, 0x54, 0x48);

/**
 * One batch as bytes, not compressed: magic, version, length, body. Several may follow each other. docs/formats/batch.md lists the fields.
 *
 * Texts longer than 4,096 characters lose their end, as do labels above 1,024 and names (of service, environment, revision, series) above 200.
 *
 * @throws {WireError} `WIRE_VALUE` for a number that is not whole, negative or not finite where it must not be; `WIRE_COUNT` for columns of different length, or more exemplars, or rows of one, than the server takes
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
  writeExemplars(fields, batch.exemplars, texts); // of version 3

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
    writer.varint(COUNTED_KINDS.indexOf(transaction.kind));
    writer.varint(OUTCOMES.indexOf(transaction.outcome));
    writer.varint(transaction.count);
    writer.varint(transaction.durationSumMicros);
    writer.deltaColumn(transaction.sketchBucket);
    writer.column(transaction.sketchCount);
  }
}

function writeExemplars(writer: ColumnWriter, exemplars: readonly Exemplar[], texts: TextTable): void {
  writer.varint(atMost(MAX_EXEMPLARS, 'exemplars', exemplars));
  for (const exemplar of exemplars) writeExemplar(writer, exemplar, texts);
}

function writeExemplar(writer: ColumnWriter, exemplar: Exemplar, texts: TextTable): void {
  const { spans, samples, waits } = exemplar;
  writer.varint(exemplar.labelSet);
  writer.varint(TRANSACTION_KINDS.indexOf(exemplar.kind));
  writer.varint(OUTCOMES.indexOf(exemplar.outcome));
  writer.varint(exemplar.startMs);
  writer.varint(exemplar.durationMicros);
  writer.varint(texts.rowOf(exemplar.traceId));
  writer.varint(texts.rowOf(exemplar.spanId));
  for (const total of [exemplar.sampleCount, exemplar.cpuMicros, exemplar.waitCount, exemplar.awaitedMicros])
    writer.varint(total);

  atMost(
    MAX_EXEMPLAR_SPANS,
    'spans',
    spans.name,
    spans.parent,
    spans.startMicros,
    spans.durationMicros,
    spans.outcome,
    spans.inputs,
  );
  for (const labels of [exemplar.context, ...spans.inputs]) atMost(MAX_CONTEXT_LABELS, 'labels of an exemplar', labels);
  writeLabelSets(writer, [exemplar.context, ...spans.inputs], texts);
  writer.column(spans.name.map((name) => texts.rowOf(name, MAX_LABEL_LENGTH)));
  writer.deltaColumn(spans.parent);
  writer.deltaColumn(spans.startMicros);
  writer.column(spans.durationMicros);
  writer.column(spans.outcome.map((outcome) => OUTCOMES.indexOf(outcome)));

  atMost(
    MAX_EXEMPLAR_SAMPLES,
    'samples',
    samples.stack,
    samples.startMicros,
    samples.wallMicros,
    samples.cpuMicros,
    samples.span,
  );
  writer.deltaColumn(samples.stack);
  writer.deltaColumn(samples.startMicros);
  writer.column(samples.wallMicros);
  writer.column(samples.cpuMicros);
  writer.deltaColumn(samples.span);

  atMost(MAX_EXEMPLAR_WAITS, 'waits', waits.stack, waits.startMicros, waits.durationMicros, waits.span);
  writer.deltaColumn(waits.stack);
  writer.deltaColumn(waits.startMicros);
  writer.column(waits.durationMicros);
  writer.deltaColumn(waits.span);
}

/** How many rows the columns have, all the same. */
function atMost(limit: number, what: string, ...columns: readonly { readonly length: number }[]): number {
  const [length = 0] = columns.map((column) => column.length);
  if (length > limit || columns.some((column) => column.length !== length))
    throw new WireError(
      'WIRE_COUNT',
      `${what}: columns of ${columns.map((column) => column.length).join(', ')} rows, ${limit} allowed`,
    );
  return length;
}
