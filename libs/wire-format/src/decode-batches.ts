import type { LabelSet, StackTable } from '@hearth/profile-model';
import { DurationSketch, ProfileError, assertStackTable, labelSet, parseProfileTypeId } from '@hearth/profile-model';
import type {
  AgentReport,
  Batch,
  BatchProcess,
  BatchProfile,
  ProcessSeriesValue,
  RawFunctionTable,
  TransactionCount,
} from './batch.js';
import { OUTCOMES, RECORDED_LINES, TRANSACTION_KINDS, WIRE_VERSION } from './batch.js';
import type { ColumnLimits } from './column-reader.js';
import { ColumnReader, DEFAULT_COLUMN_LIMITS } from './column-reader.js';
import { BATCH_MAGIC } from './encode-batch.js';
import { WireError } from './errors.js';

export interface DecodeLimits extends ColumnLimits {
  /** Batches of one body. */
  readonly maxBatches: number;
  /** Label sets of one batch, and as well its transactions: a few bytes of either become objects many times their size. */
  readonly maxLabelSets: number;
}

export const DEFAULT_DECODE_LIMITS: DecodeLimits = { ...DEFAULT_COLUMN_LIMITS, maxBatches: 256, maxLabelSets: 4096 };

export interface DecodedBatches {
  /** The good ones, in the order they came. */
  readonly batches: Batch[];
  /** One for each bad one. After bad magic or a bad length it is not known where the next begins, and nothing more is read. */
  readonly errors: WireError[];
}

/**
 * All batches of a body, each checked in full: rows exist, columns have one length, parents come before children, numbers are within their range.
 * Texts are storable (`storableText`), label sets sorted.
 *
 * @param limits - Default: 256 batches a body, 4,096 label sets and transactions a batch, 1,000,000 rows a column, 16 KiB a text.
 * @throws {WireError} the first fault, `WIRE_*`; a body without a batch is `WIRE_TRUNCATED`
 */
export function decodeBatches(bytes: Uint8Array, limits?: Partial<DecodeLimits>): Batch[] {
  const { batches, errors } = decodeBatchesApart(bytes, limits);
  if (errors[0] !== undefined) throw errors[0];
  return batches;
}

/** As `decodeBatches`, but a bad batch does not lose its neighbours. Throws nothing. */
export function decodeBatchesApart(bytes: Uint8Array, limits?: Partial<DecodeLimits>): DecodedBatches {
  const allLimits = { ...DEFAULT_DECODE_LIMITS, ...limits };
  const decoded: DecodedBatches = { batches: [], errors: [] };
  const reader = new ColumnReader(bytes, allLimits);
  try {
    do {
      if (decoded.batches.length + decoded.errors.length >= allLimits.maxBatches) {
        throw new WireError('WIRE_COUNT', `more than ${allLimits.maxBatches} batches`);
      }
      const { version, body } = readFrame(reader);
      try {
        if (version !== WIRE_VERSION)
          throw new WireError('WIRE_VERSION', `batch of version ${version}; versions 1 to ${WIRE_VERSION} are known`);
        decoded.batches.push(readBody(new ColumnReader(body, allLimits), allLimits.maxLabelSets));
      } catch (error) {
        decoded.errors.push(asWireError(error));
      }
    } while (reader.bytesLeft > 0);
  } catch (error) {
    decoded.errors.push(asWireError(error));
  }
  return decoded;
}

/** This part is the same in every version to come, so that an old server can skip a new batch. */
function readFrame(reader: ColumnReader): { version: number; body: Uint8Array } {
  const at = reader.position;
  const magic = reader.raw(BATCH_MAGIC.length);
  if (!magic.every((byte, index) => byte === BATCH_MAGIC[index]))
    throw new WireError('WIRE_MAGIC', `no batch begins at byte ${at}`);
  return { version: reader.varint(), body: reader.bytes() };
}

function readBody(reader: ColumnReader, maxLabelSets: number): Batch {
  const texts = reader.texts();
  const text = (): string => texts[reader.row(texts.length)]!;
  const process = readProcess(reader, text, texts);
  const [sequence, startMs, durationMs] = [reader.varint(), reader.varint(), reader.varint()];
  const functions = readFunctions(reader, texts);
  const stacks = readStacks(reader, functions.length);
  const labelSets = readLabelSets(reader, texts, maxLabelSets);
  const profiles = Array.from({ length: reader.count() }, () => readProfile(reader, text, stacks.length, labelSets.length));
  const transactions = Array.from({ length: countUpTo(reader, maxLabelSets) }, () => readTransaction(reader, labelSets.length));
  const series = Array.from({ length: reader.count() }, () => readSeriesValue(reader, text));
  const report = readReport(reader);
  if (reader.bytesLeft > 0) throw new WireError('WIRE_LENGTH', `${reader.bytesLeft} bytes behind the last field`);
  return { process, sequence, startMs, durationMs, functions, stacks, labelSets, profiles, transactions, series, report };
}

function readProcess(reader: ColumnReader, text: () => string, texts: readonly string[]): BatchProcess {
  const [id, service, environment, host, nodeVersion, agentVersion] = [text(), text(), text(), text(), text(), text()];
  const [revision, revisionSource, version, rootDir] = [text(), text(), text(), text()];
  const [startedAtMs, pid, dirty, rateHz] = [reader.varint(), reader.varint(), reader.varint(), reader.float64()];
  const labelSets = readLabelSets(reader, texts, 1);
  if (!/^[0-9a-f]{32}$/.test(id))
    throw new WireError('WIRE_VALUE', `process id "${id.slice(0, 40)}" is not 32 hexadecimal digits`);
  if (service === '') throw new WireError('WIRE_VALUE', 'service is empty');
  if (!Number.isFinite(rateHz) || rateHz < 0) throw new WireError('WIRE_VALUE', `rate of ${rateHz} Hz`);
  if (dirty > 1 || labelSets.length !== 1)
    throw new WireError('WIRE_VALUE', `dirty is ${dirty}, with ${labelSets.length} label sets`);
  return {
    id, service, environment, startedAtMs, host, pid, nodeVersion, agentVersion, rateHz,
    revision, revisionSource, isDirty: dirty === 1, version, rootDir, labels: labelSets[0]!,
  }; // prettier-ignore
}

function readFunctions(reader: ColumnReader, texts: readonly string[]): RawFunctionTable {
  const name = Array.from(reader.rowColumn(texts.length), (row) => texts[row]!);
  const scriptName = Array.from(reader.rowColumn(texts.length), (row) => texts[row]!);
  const line = reader.rowColumn(2 ** 32); // not rows, but of the same range
  assertSameLength('functions', name, scriptName, line);
  return { length: name.length, name, scriptName, line };
}

function readStacks(reader: ColumnReader, functionCount: number): StackTable {
  const parent = reader.deltaRowColumn(2 ** 31, -1);
  const functionRow = Uint32Array.from(reader.deltaRowColumn(functionCount));
  assertSameLength('stacks', parent, functionRow);
  const stacks = { length: parent.length, parent, functionRow };
  assertStackTable(stacks, functionCount);
  return stacks;
}

function readLabelSets(reader: ColumnReader, texts: readonly string[], maxLabelSets: number): LabelSet[] {
  const lengths = reader.column();
  if (lengths.length > maxLabelSets) throw new WireError('WIRE_COUNT', `${lengths.length} label sets, ${maxLabelSets} allowed`);
  const names = reader.rowColumn(texts.length);
  const values = reader.rowColumn(texts.length);
  assertSameLength('labels', names, values);
  let from = 0;
  const labelSets = Array.from(lengths, (length) => {
    if (length > names.length - from)
      throw new WireError('WIRE_COUNT', `label set of ${length} labels, ${names.length - from} left`);
    const labels = Array.from({ length }, (_, at): [string, string] => [texts[names[from + at]!]!, texts[values[from + at]!]!]);
    from += length;
    return labelSet(labels);
  });
  if (from !== names.length) throw new WireError('WIRE_COUNT', `${names.length - from} labels in no label set`);
  return labelSets;
}

function readProfile(reader: ColumnReader, text: () => string, stackCount: number, labelSetCount: number): BatchProfile {
  const typeId = text();
  parseProfileTypeId(typeId);
  const lines = RECORDED_LINES[reader.row(RECORDED_LINES.length)]!;
  const sampleStack = reader.deltaRowColumn(stackCount, -1);
  const sampleLabelSet = Uint32Array.from(reader.deltaRowColumn(labelSetCount));
  const sampleValue = reader.column();
  const sampleCount = reader.column();
  assertSameLength(typeId, sampleStack, sampleLabelSet, sampleValue, sampleCount);
  return { typeId, lines, sampleStack, sampleLabelSet, sampleValue, sampleCount };
}

function readTransaction(reader: ColumnReader, labelSetCount: number): TransactionCount {
  const labelSetRow = reader.row(labelSetCount);
  const kind = TRANSACTION_KINDS[reader.row(TRANSACTION_KINDS.length)]!;
  const outcome = OUTCOMES[reader.row(OUTCOMES.length)]!;
  const [count, durationSumMicros] = [reader.varint(), reader.varint()];
  const sketch = DurationSketch.fromBuckets(reader.deltaColumn(), reader.column());
  const { bucket: sketchBucket, count: sketchCount } = sketch.toBuckets(); // ascending, each bucket once
  return { labelSet: labelSetRow, kind, outcome, count, durationSumMicros, sketchBucket, sketchCount };
}

function readSeriesValue(reader: ColumnReader, text: () => string): ProcessSeriesValue {
  const name = text();
  const value = reader.float64();
  if (!Number.isFinite(value)) throw new WireError('WIRE_VALUE', `series ${name.slice(0, 80)} is ${value}`);
  return { name, value };
}

function readReport(reader: ColumnReader): AgentReport {
  const [droppedBatches, droppedSamples, lateLabels] = [reader.varint(), reader.varint(), reader.varint()];
  const [foldedLabelSets, restartedSamplers] = [reader.varint(), reader.varint()];
  return { droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers };
}

function countUpTo(reader: ColumnReader, limit: number): number {
  const count = reader.count();
  if (count > limit) throw new WireError('WIRE_COUNT', `${count} rows, ${limit} allowed`);
  return count;
}

function assertSameLength(table: string, ...columns: readonly { readonly length: number }[]): void {
  const lengths = columns.map((column) => column.length);
  if (lengths.some((length) => length !== lengths[0]))
    throw new WireError('WIRE_COUNT', `${table}: columns of ${lengths.join(', ')} rows`);
}

/** The checks of profile-model speak of profiles; here it is the bytes that are wrong. */
function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  if (error instanceof ProfileError) return new WireError('WIRE_ROW', `${error.code}: ${error.message}`, { cause: error });
  throw error;
}
