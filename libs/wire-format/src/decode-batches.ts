import type { StackTable } from '@hearth/profile-model';
import { DurationSketch, ProfileError, assertStackTable, parseProfileTypeId } from '@hearth/profile-model';
import type {
  AgentReport,
  Batch,
  BatchProcess,
  BatchProfile,
  ProcessSeriesValue,
  RawFunctionTable,
  TransactionCount,
} from './batch.js';
import { RECORDED_LINES, WIRE_VERSION } from './batch.js';
import { ColumnReader } from './column-reader.js';
import { readExemplars } from './decode-exemplars.js';
import { DEFAULT_DECODE_LIMITS, DecodedSize, OBJECT_BYTES, textBytes, type DecodeLimits } from './decode-limits.js';
import { BATCH_MAGIC } from './encode-batch.js';
import { WireError } from './errors.js';
import { assertSameLength, countUpTo, readLabelSets, readName, readText, type ReadContext } from './read-fields.js';
import { MAX_TEXT_LENGTH } from './text-limits.js';
import { COUNTED_KINDS, OUTCOMES } from './transaction-ends.js';

const STACK_BYTES = 8;

export interface DecodedBatches {
  /** The good ones, in the order they came. */
  readonly batches: Batch[];
  /** One for each bad one. After bad magic or a bad length it is not known where the next begins, and nothing more is read. */
  readonly errors: WireError[];
  /** Roughly the memory of `batches`, every text counted wherever it is referred to: so much of it is there once it has been cloned. */
  readonly decodedBytes: number;
}

/**
 * All batches of a body, each checked in full: rows exist, columns have one length, parents come before children, numbers are within their range.
 * Texts are storable (`storableText`), label sets sorted.
 *
 * @param limits - Default: `DEFAULT_DECODE_LIMITS`; docs/formats/batch.md lists them.
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
  const [batches, errors]: [Batch[], WireError[]] = [[], []];
  const reader = new ColumnReader(bytes, allLimits);
  const size = new DecodedSize(allLimits);
  try {
    do {
      if (batches.length + errors.length >= allLimits.maxBatches) {
        throw new WireError('WIRE_COUNT', `more than ${allLimits.maxBatches} batches`);
      }
      const { version, body } = readFrame(reader);
      try {
        if (version < 1 || version > WIRE_VERSION)
          throw new WireError('WIRE_VERSION', `batch of version ${version}; versions 1 to ${WIRE_VERSION} are known`);
        batches.push(readBody(new ColumnReader(body, allLimits), version, allLimits, size));
      } catch (error) {
        errors.push(asWireError(error));
      }
    } while (reader.bytesLeft > 0);
  } catch (error) {
    errors.push(asWireError(error));
  }
  return { batches, errors, decodedBytes: size.bytes };
}

/** This part is the same in every version to come, so that an old server can skip a new batch. */
function readFrame(reader: ColumnReader): { version: number; body: Uint8Array } {
  const at = reader.position;
  const magic = reader.raw(BATCH_MAGIC.length);
  if (!magic.every((byte, index) => byte === BATCH_MAGIC[index]))
    throw new WireError('WIRE_MAGIC', `no batch begins at byte ${at}`);
  return { version: reader.varint(), body: reader.bytes() };
}

function readBody(reader: ColumnReader, version: number, limits: DecodeLimits, size: DecodedSize): Batch {
  const context: ReadContext = { reader, limits, size, texts: readTexts(reader, size) };
  const process = readProcess(context);
  const [sequence, startMs, durationMs] = [reader.varint(), reader.varint(), reader.varint()];
  const withoutColumns = readFunctions(context);
  const stacks = readStacks(context, withoutColumns.length);
  const labelSets = readLabelSets(context, limits.maxLabelSets);
  const profiles = Array.from({ length: countUpTo(reader, limits.maxProfiles, 'profiles') }, () =>
    readProfile(context, stacks.length, labelSets.length),
  );
  const transactions = Array.from({ length: countUpTo(reader, limits.maxLabelSets, 'transactions') }, () =>
    readTransaction(context, labelSets.length),
  );
  const series = Array.from({ length: countUpTo(reader, limits.maxSeries, 'series') }, () => readSeriesValue(context));
  const report = readReport(reader);
  const functions = version < 2 ? withoutColumns : withFunctionColumns(reader, withoutColumns);
  const exemplars = version < 3 ? [] : readExemplars(context, stacks.length, labelSets.length);
  if (reader.bytesLeft > 0) throw new WireError('WIRE_LENGTH', `${reader.bytesLeft} bytes behind the last field`);
  return {
    process, sequence, startMs, durationMs, functions, stacks, labelSets, profiles, transactions, series, report, exemplars,
  }; // prettier-ignore
}

/** Counted here for themselves, and again wherever they are referred to. */
function readTexts(reader: ColumnReader, size: DecodedSize): string[] {
  const texts: string[] = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    const text = reader.text();
    if (text.length > MAX_TEXT_LENGTH)
      throw new WireError('WIRE_STRING', `text of ${text.length} characters, ${MAX_TEXT_LENGTH} allowed`);
    size.add(OBJECT_BYTES + textBytes(text));
    texts.push(text);
  }
  return texts;
}

function readProcess(context: ReadContext): BatchProcess {
  const { reader } = context;
  const text = (): string => readText(context);
  const [id, service, environment] = [text(), readName(context, 'service'), readName(context, 'environment')];
  const [host, nodeVersion, agentVersion] = [text(), text(), text()];
  const [revision, revisionSource, version, rootDir] = [readName(context, 'revision'), text(), text(), text()];
  const [startedAtMs, pid, dirty, rateHz] = [reader.varint(), reader.varint(), reader.varint(), reader.float64()];
  const labelSets = readLabelSets(context, 1);
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

function readFunctions({ reader, size, texts }: ReadContext): RawFunctionTable {
  const name = textsOf(reader.rowColumn(texts.length), texts);
  const scriptName = textsOf(reader.rowColumn(texts.length), texts);
  const line = reader.rowColumn(2 ** 32); // not rows, but of the same range
  assertSameLength('functions', name, scriptName, line);
  for (let row = 0; row < name.length; row += 1) size.add(OBJECT_BYTES + textBytes(name[row]!) + textBytes(scriptName[row]!));
  return { length: name.length, name, scriptName, line };
}

/** An empty column says that of none it is known. */
function withFunctionColumns(reader: ColumnReader, functions: RawFunctionTable): RawFunctionTable {
  const column = reader.rowColumn(2 ** 32); // not rows, but of the same range
  if (column.length === 0) return functions;
  assertSameLength('functions', functions.line, column);
  return { ...functions, column };
}

function textsOf(rows: Uint32Array, texts: readonly string[]): string[] {
  const column: string[] = [];
  for (const row of rows) column.push(texts[row]!);
  return column;
}

function readStacks({ reader, size }: ReadContext, functionCount: number): StackTable {
  const parent = reader.deltaRowColumn(2 ** 31, -1);
  const functionRow = new Uint32Array(reader.deltaRowColumn(functionCount).buffer); // none is negative
  assertSameLength('stacks', parent, functionRow);
  size.add(parent.length * STACK_BYTES);
  const stacks = { length: parent.length, parent, functionRow };
  assertStackTable(stacks, functionCount);
  return stacks;
}

function readProfile(context: ReadContext, stackCount: number, labelSetCount: number): BatchProfile {
  const { reader, size } = context;
  const typeId = readText(context);
  parseProfileTypeId(typeId);
  const lines = RECORDED_LINES[reader.row(RECORDED_LINES.length)]!;
  const sampleStack = reader.deltaRowColumn(stackCount, -1);
  const sampleLabelSet = Uint32Array.from(reader.deltaRowColumn(labelSetCount));
  const sampleValue = reader.column();
  const sampleCount = reader.column();
  size.addSamples(sampleStack.length);
  assertSameLength(typeId, sampleStack, sampleLabelSet, sampleValue, sampleCount);
  return { typeId, lines, sampleStack, sampleLabelSet, sampleValue, sampleCount };
}

function readTransaction({ reader, size }: ReadContext, labelSetCount: number): TransactionCount {
  const labelSetRow = reader.row(labelSetCount);
  const kind = COUNTED_KINDS[reader.row(COUNTED_KINDS.length)]!;
  const outcome = OUTCOMES[reader.row(OUTCOMES.length)]!;
  const [count, durationSumMicros] = [reader.varint(), reader.varint()];
  const { bucket: sketchBucket, count: sketchCount } = DurationSketch.checkedBuckets(reader.deltaColumn(), reader.column());
  size.add(OBJECT_BYTES * 4 + sketchBucket.length * 12);
  return { labelSet: labelSetRow, kind, outcome, count, durationSumMicros, sketchBucket, sketchCount };
}

function readSeriesValue(context: ReadContext): ProcessSeriesValue {
  const name = readName(context, 'series');
  const value = context.reader.float64();
  context.size.add(OBJECT_BYTES + textBytes(name));
  if (!Number.isFinite(value)) throw new WireError('WIRE_VALUE', `series ${name.slice(0, 80)} is ${value}`);
  return { name, value };
}

function readReport(reader: ColumnReader): AgentReport {
  const [droppedBatches, droppedSamples, lateLabels] = [reader.varint(), reader.varint(), reader.varint()];
  const [foldedLabelSets, restartedSamplers] = [reader.varint(), reader.varint()];
  return { droppedBatches, droppedSamples, lateLabels, foldedLabelSets, restartedSamplers };
}

/** The checks of profile-model speak of profiles; here it is the bytes that are wrong. */
function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  if (error instanceof ProfileError) return new WireError('WIRE_ROW', `${error.code}: ${error.message}`, { cause: error });
  throw error;
}
