import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { FunctionTable, LabelSet, Micros, StackTable } from '@hearth/profile-model';
import { assertStackTable } from '@hearth/profile-model';
import { ColumnReader, ColumnWriter, OUTCOMES, type Outcome } from '@hearth/wire-format';
import { HearthError } from '../../platform/http/index.js';

/** What is only read when one exemplar is looked at. Times count from the transaction's start. */
export interface ExemplarBody {
  readonly traceId: string;
  readonly spanId: string;
  readonly functions: FunctionTable;
  /** Those of its samples and waits, and their callers. */
  readonly stacks: StackTable;
  /** Columns of one length, as those below. A span comes after its parent. */
  readonly spans: {
    readonly name: readonly string[];
    /** Row here; -1: the transaction itself. */
    readonly parent: ArrayLike<number>;
    readonly startMicros: ArrayLike<Micros>;
    readonly durationMicros: ArrayLike<Micros>;
    readonly outcome: readonly Outcome[];
    readonly inputs: readonly LabelSet[];
  };
  /** By start. */
  readonly samples: {
    /** Row in `stacks`; -1: without frames. */
    readonly stack: ArrayLike<number>;
    readonly startMicros: ArrayLike<Micros>;
    readonly wallMicros: ArrayLike<Micros>;
    readonly cpuMicros: ArrayLike<Micros>;
    /** Row in `spans`; -1: of none. */
    readonly span: ArrayLike<number>;
  };
  /** By start. The last frame of a stack is what was waited for. */
  readonly waits: {
    readonly stack: ArrayLike<number>;
    readonly startMicros: ArrayLike<Micros>;
    readonly durationMicros: ArrayLike<Micros>;
    readonly span: ArrayLike<number>;
  };
}

/**
 * How it is stored. The codec byte is the version of the format: another layout takes another number.
 *
 *     codec u8 = 1 | deflated:
 *       trace id, span id          texts
 *       functions                  names | packages | files            texts each
 *       stacks                     parents: deltas | function rows: deltas
 *       spans                      names | parents: deltas | starts: deltas | durations | outcomes | n | n times names and values of inputs
 *       samples                    stacks: deltas | starts: deltas | wall | cpu | spans: deltas
 *       waits                      stacks: deltas | starts: deltas | durations | spans: deltas
 *
 * Each column begins with its length. A row that there is none of is -1.
 *
 * It holds the names of its functions, and so depends on no dictionary: those are dropped with the month that they are of.
 */
const CODEC_DEFLATE = 1;
/** Inflated. Two thousand samples with stacks of a real program take some tens of kB. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Of texts and of each column when it is read back. */
const LIMITS = { maxRows: 500_000, maxTextBytes: 16_384 };

/** @returns `undefined`: larger than `MAX_BODY_BYTES`. */
export async function encodeExemplarBody(body: ExemplarBody): Promise<Uint8Array | undefined> {
  const { functions, stacks, spans, samples, waits } = body;
  const writer = new ColumnWriter();
  writer.text(body.traceId);
  writer.text(body.spanId);
  writer.texts(functions.name);
  writer.texts(functions.package);
  writer.texts(functions.file);
  writer.deltaColumn(stacks.parent);
  writer.deltaColumn(stacks.functionRow);
  writer.texts(spans.name);
  writer.deltaColumn(spans.parent);
  writer.deltaColumn(spans.startMicros);
  writer.column(spans.durationMicros);
  writer.column(spans.outcome.map((outcome) => OUTCOMES.indexOf(outcome)));
  writer.varint(spans.inputs.length);
  for (const inputs of spans.inputs) {
    writer.texts(inputs.map(([name]) => name));
    writer.texts(inputs.map(([, value]) => value));
  }
  writer.deltaColumn(samples.stack);
  writer.deltaColumn(samples.startMicros);
  writer.column(samples.wallMicros);
  writer.column(samples.cpuMicros);
  writer.deltaColumn(samples.span);
  writer.deltaColumn(waits.stack);
  writer.deltaColumn(waits.startMicros);
  writer.column(waits.durationMicros);
  writer.deltaColumn(waits.span);
  if (writer.length > MAX_BODY_BYTES) return undefined;
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), await promisify(deflateRaw)(writer.finish())]);
}

/** @throws {HearthError} `EXEMPLAR_DAMAGED` */
export async function decodeExemplarBody(data: Uint8Array): Promise<ExemplarBody> {
  if (data[0] !== CODEC_DEFLATE) throw damaged(`an exemplar of codec ${data[0]}: damaged, or written by a newer server`);
  try {
    return readBody(new ColumnReader(await promisify(inflateRaw)(data.subarray(1), { maxOutputLength: MAX_BODY_BYTES }), LIMITS));
  } catch (error) {
    throw damaged(`an exemplar of ${data.length} bytes cannot be read: ${(error as Error).message}`, error);
  }
}

function readBody(reader: ColumnReader): ExemplarBody {
  const [traceId, spanId] = [reader.text(), reader.text()];
  const [name, packages, file] = [readTexts(reader), readTexts(reader), readTexts(reader)];
  const functions = { length: name.length, name, package: packages, file };
  const parent = reader.deltaRowColumn(LIMITS.maxRows, -1);
  const functionRow = Uint32Array.from(reader.deltaRowColumn(functions.length));
  const stacks = { length: parent.length, parent, functionRow };
  sameLength(functions.length, packages, file);
  sameLength(stacks.length, functionRow);
  assertStackTable(stacks, functions.length);
  const spans = readSpans(reader);
  const samples = {
    stack: reader.deltaRowColumn(stacks.length, -1),
    startMicros: reader.deltaColumn(),
    wallMicros: reader.column(),
    cpuMicros: reader.column(),
    span: reader.deltaRowColumn(spans.name.length, -1),
  };
  sameLength(samples.stack.length, samples.startMicros, samples.wallMicros, samples.cpuMicros, samples.span);
  const waits = {
    stack: reader.deltaRowColumn(stacks.length, -1),
    startMicros: reader.deltaColumn(),
    durationMicros: reader.column(),
    span: reader.deltaRowColumn(spans.name.length, -1),
  };
  sameLength(waits.stack.length, waits.startMicros, waits.durationMicros, waits.span);
  if (reader.bytesLeft > 0) throw new Error(`${reader.bytesLeft} bytes too many`);
  return { traceId, spanId, functions, stacks, spans, samples, waits };
}

function readSpans(reader: ColumnReader): ExemplarBody['spans'] {
  const name = readTexts(reader);
  const parent = reader.deltaRowColumn(name.length, -1);
  const startMicros = reader.deltaColumn();
  const durationMicros = reader.column();
  const outcome = Array.from(reader.rowColumn(OUTCOMES.length), (row) => OUTCOMES[row]!);
  const inputs = Array.from({ length: reader.count(2) }, (): LabelSet => {
    const [names, values] = [readTexts(reader), readTexts(reader)];
    sameLength(names.length, values);
    return names.map((label, at) => [label, values[at]!]);
  });
  sameLength(name.length, parent, startMicros, durationMicros, outcome, inputs);
  if (parent.some((of, row) => of >= row)) throw new Error('a span before its parent');
  return { name, parent, startMicros, durationMicros, outcome, inputs };
}

function readTexts(reader: ColumnReader): string[] {
  return Array.from({ length: reader.count() }, () => reader.text());
}

function sameLength(length: number, ...columns: readonly ArrayLike<unknown>[]): void {
  if (columns.some((column) => column.length !== length)) throw new Error('columns of different lengths');
}

function damaged(message: string, cause?: unknown): HearthError {
  return new HearthError('EXEMPLAR_DAMAGED', message, { status: 500, cause });
}
