import { labelSet } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import type { Batch } from './batch.js';
import { decodeBatches, decodeBatchesApart } from './decode-batches.js';
import { encodeBatch } from './encode-batch.js';
import type { Exemplar } from './exemplar.js';
import { MAX_EXEMPLARS, MAX_EXEMPLAR_SAMPLES, MAX_EXEMPLAR_SPANS, MAX_EXEMPLAR_WAITS, NO_SPAN } from './exemplar.js';
import { version1 } from './testing/version-1.js';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const zeros = (length: number): Float64Array => new Float64Array(length);
const noSpans = (length: number): Int32Array => new Int32Array(length).fill(NO_SPAN);

const slow: Exemplar = {
  labelSet: 0,
  kind: 'http',
  outcome: 'timeout',
  startMs: 1_763_600_012_345,
  durationMicros: 20_000,
  context: labelSet({ transaction: 'GET /cart', order: '4711' }),
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  spans: {
    name: ['load', 'price'],
    parent: Int32Array.of(NO_SPAN, 0),
    startMicros: Float64Array.of(1_000, 3_000),
    durationMicros: Float64Array.of(12_000, 4_000),
    outcome: ['ok', 'error'],
    inputs: [[], labelSet({ items: '12' })],
  },
  samples: {
    stack: Int32Array.of(1, 1),
    startMicros: Float64Array.of(5_000, 15_100),
    wallMicros: Float64Array.of(10_100, 10_100),
    cpuMicros: Float64Array.of(9_000, 0),
    span: Int32Array.of(1, NO_SPAN),
  },
  waits: {
    stack: Int32Array.of(0),
    startMicros: Float64Array.of(16_000),
    durationMicros: Float64Array.of(2_500),
    span: Int32Array.of(NO_SPAN),
  },
  sampleCount: 2,
  cpuMicros: 9_000,
  waitCount: 1,
  awaitedMicros: 2_500,
};

const batchWith = (...exemplars: readonly Exemplar[]): Batch => ({ ...version1, exemplars });
const spansOf = (length: number): Exemplar['spans'] => ({
  name: Array.from({ length }, () => 'step'),
  parent: noSpans(length),
  startMicros: zeros(length),
  durationMicros: zeros(length),
  outcome: Array.from({ length }, () => 'ok' as const),
  inputs: Array.from({ length }, () => []),
});
const samplesOf = (length: number): Exemplar['samples'] => ({
  stack: new Int32Array(length),
  startMicros: zeros(length),
  wallMicros: zeros(length),
  cpuMicros: zeros(length),
  span: noSpans(length),
});
const waitsOf = (length: number): Exemplar['waits'] => ({
  stack: new Int32Array(length),
  startMicros: zeros(length),
  durationMicros: zeros(length),
  span: noSpans(length),
});

describe('exemplars', () => {
  it('come back as they were written', () => {
    expect(decodeBatches(encodeBatch(batchWith(slow)))[0]!.exemplars).toEqual([slow]);
  });
  it.each<[string, number, (length: number) => Batch]>([
    ['exemplars', MAX_EXEMPLARS, (length) => batchWith(...Array.from({ length }, () => slow))],
    ['spans', MAX_EXEMPLAR_SPANS, (length) => batchWith({ ...slow, spans: spansOf(length) })],
    ['samples', MAX_EXEMPLAR_SAMPLES, (length) => batchWith({ ...slow, samples: samplesOf(length) })],
    ['waits', MAX_EXEMPLAR_WAITS, (length) => batchWith({ ...slow, waits: waitsOf(length) })],
    [
      'labels of a context',
      64,
      (length) => batchWith({ ...slow, context: labelSet(Array.from({ length }, (_, n): [string, string] => [`${n}`, 'x'])) }),
    ],
  ])('are written up to the limit of %s, %i, and not beyond', (_, limit, make) => {
    const batch = make(limit);
    expect(decodeBatches(encodeBatch(batch))[0]!.exemplars).toEqual(batch.exemplars);
    expect(() => encodeBatch(make(limit + 1))).toThrowError(code('WIRE_COUNT'));
  });
  it.each<[string, string, Partial<Exemplar>]>([
    ['a label set that is not there', 'WIRE_ROW', { labelSet: 1 }],
    ['a stack that is not there', 'WIRE_ROW', { samples: { ...samplesOf(1), stack: Int32Array.of(2) } }],
    ['a stack of a wait that is not there', 'WIRE_ROW', { waits: { ...waitsOf(1), stack: Int32Array.of(-2) } }],
    ['a span that is not there', 'WIRE_ROW', { samples: { ...samplesOf(1), span: Int32Array.of(2) } }],
    ['a span of a wait that is not there', 'WIRE_ROW', { waits: { ...waitsOf(1), span: Int32Array.of(2) } }],
    ['a span before its parent', 'WIRE_ROW', { spans: { ...slow.spans, parent: Int32Array.of(0, NO_SPAN) } }],
    ['samples out of order', 'WIRE_VALUE', { samples: { ...samplesOf(2), startMicros: Float64Array.of(2, 1) } }],
    ['a wait before the start', 'WIRE_VALUE', { waits: { ...waitsOf(1), startMicros: Float64Array.of(-1) } }],
    ['spans out of order', 'WIRE_VALUE', { spans: { ...slow.spans, startMicros: Float64Array.of(2, 1) } }],
    ['a trace id that is none', 'WIRE_VALUE', { traceId: 'GET /cart' }],
    ['a span id of another length', 'WIRE_VALUE', { spanId: slow.traceId }],
  ])('are refused with %s', (_, expected, broken) => {
    expect(() => decodeBatches(encodeBatch(batchWith({ ...slow, ...broken })))).toThrowError(code(expected));
  });
  it('are not written with columns of different length', () => {
    for (const broken of [
      { spans: { ...slow.spans, outcome: [] } },
      { samples: { ...slow.samples, cpuMicros: zeros(1) } },
      { waits: { ...slow.waits, span: noSpans(2) } },
    ])
      expect(() => encodeBatch(batchWith({ ...slow, ...broken }))).toThrowError(code('WIRE_COUNT'));
  });
  it('count as memory, and their texts wherever they are referred to', () => {
    const inputs = labelSet(Array.from({ length: 64 }, (_, n): [string, string] => [`${n}`, 'x'.repeat(1_024)]));
    const spans = { ...spansOf(200), inputs: Array.from({ length: 200 }, () => inputs) };
    const many = Array.from({ length: 64 }, () => ({ ...slow, spans }));
    const bytes = encodeBatch(batchWith(...many));
    expect(bytes.length).toBeLessThan(4_000_000);
    expect(() => decodeBatches(bytes)).toThrowError(code('WIRE_SIZE'));
    const [without, withOne] = [batchWith(), batchWith(slow)].map((batch) => decodeBatchesApart(encodeBatch(batch)).decodedBytes);
    expect(withOne! - without!).toBeGreaterThan(2_000);
  });
});
