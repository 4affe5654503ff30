import { OBJECT_BYTES, textBytes } from './decode-limits.js';
import { WireError } from './errors.js';
import {
  MAX_EXEMPLARS,
  MAX_EXEMPLAR_SAMPLES,
  MAX_EXEMPLAR_SPANS,
  MAX_EXEMPLAR_WAITS,
  NO_SPAN,
  type Exemplar,
  type ExemplarSamples,
  type ExemplarSpans,
  type ExemplarWaits,
} from './exemplar.js';
import { assertSameLength, countUpTo, readLabelSets, readLabelText, readText, type ReadContext } from './read-fields.js';
import { OUTCOMES, TRANSACTION_KINDS } from './transaction-ends.js';

/** An exemplar without its rows: it has 13 columns, each an object and its memory. */
const EXEMPLAR_BYTES = OBJECT_BYTES * 40;
const SPAN_BYTES = OBJECT_BYTES;
const SAMPLE_BYTES = 32;
const WAIT_BYTES = 24;

/** @param labelSetCount - Of the batch, as `stackCount` is. @throws {WireError} `WIRE_*` */
export function readExemplars(context: ReadContext, stackCount: number, labelSetCount: number): Exemplar[] {
  return Array.from({ length: countUpTo(context.reader, MAX_EXEMPLARS, 'exemplars') }, () =>
    readExemplar(context, stackCount, labelSetCount),
  );
}

function readExemplar(context: ReadContext, stackCount: number, labelSetCount: number): Exemplar {
  const { reader, size } = context;
  size.add(EXEMPLAR_BYTES);
  const labelSet = reader.row(labelSetCount);
  const kind = TRANSACTION_KINDS[reader.row(TRANSACTION_KINDS.length)]!;
  const outcome = OUTCOMES[reader.row(OUTCOMES.length)]!;
  const [startMs, durationMicros] = [reader.varint(), reader.varint()];
  const [traceId, spanId] = [readHexadecimal(context, 32), readHexadecimal(context, 16)];
  const [sampleCount, cpuMicros, waitCount, awaitedMicros] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()];
  const [labels, ...inputs] = readLabelSets(context, 1 + MAX_EXEMPLAR_SPANS);
  if (labels === undefined) throw new WireError('WIRE_COUNT', 'an exemplar without its context');
  const spans = { ...readSpans(context), inputs };
  assertSameLength('spans', spans.name, inputs);
  const samples = readSamples(context, stackCount, spans.name.length);
  const waits = readWaits(context, stackCount, spans.name.length);
  return {
    labelSet, kind, outcome, startMs, durationMicros, context: labels, traceId, spanId, spans, samples, waits,
    sampleCount, cpuMicros, waitCount, awaitedMicros,
  }; // prettier-ignore
}

function readHexadecimal(context: ReadContext, length: number): string {
  const text = readText(context);
  if (text !== '' && (text.length !== length || !/^[0-9a-f]+$/.test(text)))
    throw new WireError('WIRE_VALUE', `id "${text.slice(0, 40)}" is not ${length} hexadecimal digits`);
  context.size.add(textBytes(text));
  return text;
}

function readSpans(context: ReadContext): Omit<ExemplarSpans, 'inputs'> {
  const { reader, size, texts } = context;
  const name = Array.from(reader.rowColumn(texts.length), (row) => readLabelText(context, row));
  if (name.length > MAX_EXEMPLAR_SPANS) throw new WireError('WIRE_COUNT', `${name.length} spans, ${MAX_EXEMPLAR_SPANS} allowed`);
  size.add(name.length * SPAN_BYTES);
  const parent = reader.deltaRowColumn(name.length, NO_SPAN);
  const orphan = parent.findIndex((row, at) => row >= at);
  if (orphan >= 0) throw new WireError('WIRE_ROW', `span ${orphan} comes before its parent ${parent[orphan]}`);
  const startMicros = inTimeOrder('spans', reader.deltaColumn());
  const durationMicros = reader.column();
  const outcome = Array.from(reader.rowColumn(OUTCOMES.length), (row) => OUTCOMES[row]!);
  assertSameLength('spans', name, parent, startMicros, durationMicros, outcome);
  return { name, parent, startMicros, durationMicros, outcome };
}

function readSamples({ reader, size }: ReadContext, stackCount: number, spanCount: number): ExemplarSamples {
  const stack = reader.deltaRowColumn(stackCount, -1);
  if (stack.length > MAX_EXEMPLAR_SAMPLES)
    throw new WireError('WIRE_COUNT', `${stack.length} samples of an exemplar, ${MAX_EXEMPLAR_SAMPLES} allowed`);
  size.add(stack.length * SAMPLE_BYTES);
  const startMicros = inTimeOrder('samples', reader.deltaColumn());
  const [wallMicros, cpuMicros] = [reader.column(), reader.column()];
  const span = reader.deltaRowColumn(spanCount, NO_SPAN);
  assertSameLength('samples of an exemplar', stack, startMicros, wallMicros, cpuMicros, span);
  return { stack, startMicros, wallMicros, cpuMicros, span };
}

function readWaits({ reader, size }: ReadContext, stackCount: number, spanCount: number): ExemplarWaits {
  const stack = reader.deltaRowColumn(stackCount, -1);
  if (stack.length > MAX_EXEMPLAR_WAITS)
    throw new WireError('WIRE_COUNT', `${stack.length} waits of an exemplar, ${MAX_EXEMPLAR_WAITS} allowed`);
  size.add(stack.length * WAIT_BYTES);
  const startMicros = inTimeOrder('waits', reader.deltaColumn());
  const durationMicros = reader.column();
  const span = reader.deltaRowColumn(spanCount, NO_SPAN);
  assertSameLength('waits of an exemplar', stack, startMicros, durationMicros, span);
  return { stack, startMicros, durationMicros, span };
}

/** Offsets from the start: none before it, none before the one above. */
function inTimeOrder(what: string, offsets: Float64Array): Float64Array {
  const wrong = offsets.findIndex((offset, at) => offset < (offsets[at - 1] ?? 0));
  if (wrong >= 0) throw new WireError('WIRE_VALUE', `${what} of an exemplar: row ${wrong} is out of the order of time`);
  return offsets;
}
