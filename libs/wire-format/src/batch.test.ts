import { labelSet } from '@hearth/profile-model';
import { randomProfile } from '@hearth/profile-model/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from './batch.js';
import { RECORDED_LINES, WIRE_VERSION } from './batch.js';
import { ColumnReader } from './column-reader.js';
import { ColumnWriter } from './column-writer.js';
import { decodeBatches, decodeBatchesApart } from './decode-batches.js';
import { encodeBatch } from './encode-batch.js';
import type { Exemplar } from './exemplar.js';
import { OUTCOMES, TRANSACTION_KINDS } from './transaction-ends.js';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

const process: Batch['process'] = {
  id: '0123456789abcdef0123456789abcdef',
  service: 'shop',
  environment: 'production',
  startedAtMs: 1_763_600_000_000,
  host: 'pod-1',
  pid: 42,
  nodeVersion: '20.20.2',
  agentVersion: '0.1.0',
  rateHz: 99.5,
  revision: '3f2a9bc',
  revisionSource: 'git',
  isDirty: true,
  version: '',
  rootDir: '/srv/shop',
  labels: labelSet({ region: 'eu-1' }),
};

function randomBatch(seed: number): Batch {
  const [profile, other] = [randomProfile(seed), randomProfile(seed, { samples: 0 })];
  return {
    process,
    sequence: 7,
    startMs: profile.startMs,
    durationMs: profile.durationMs,
    functions: {
      length: profile.functions.length,
      name: profile.functions.name,
      scriptName: profile.functions.file.map((file) => `file:///srv/shop/${file}`),
      line: Uint32Array.from({ length: profile.functions.length }, (_, row) => row * 1_000_003),
      column: Uint32Array.from({ length: profile.functions.length }, (_, row) => row * 999_983),
    },
    stacks: profile.stacks,
    labelSets: profile.labelSets,
    profiles: [profile, other].map(({ sampleStack, sampleLabelSet, sampleValue, sampleCount }, index) => ({
      typeId: 'process_cpu:cpu:microseconds:cpu:microseconds',
      lines: RECORDED_LINES[index]!,
      sampleStack,
      sampleLabelSet,
      sampleValue,
      sampleCount,
    })),
    transactions: profile.labelSets.map((_, labelSetRow) => ({
      labelSet: labelSetRow,
      kind: TRANSACTION_KINDS[labelSetRow % 2]!,
      outcome: OUTCOMES[labelSetRow % 4]!,
      count: 3,
      durationSumMicros: 2 ** 53 - 1,
      sketchBucket: Int32Array.of(-1, 0, 400),
      sketchCount: Float64Array.of(1, 1, 1),
    })),
    series: [
      { name: 'rss_bytes', value: 123_456_789 },
      { name: 'event_loop_utilisation_ratio', value: 0.25 },
    ],
    report: { droppedBatches: 1, droppedSamples: 2, lateLabels: 3, foldedLabelSets: 4, restartedSamplers: 5 },
    exemplars: profile.labelSets.map((_, row) => exemplarOf(row, profile)),
  };
}

/** One with as many spans, samples and waits as `row` says. */
function exemplarOf(row: number, { stacks }: Pick<Batch, 'stacks'>): Exemplar {
  const rows = Array.from({ length: row * 3 }, (_, at) => at);
  const stack = Int32Array.from(rows, (at) => (at % (stacks.length + 1)) - 1);
  const startMicros = Float64Array.from(rows, (at) => Math.floor(at / 2) * 10_100);
  const span = Int32Array.from(rows, (at) => at - 1);
  return {
    labelSet: row,
    kind: TRANSACTION_KINDS[row % 2]!,
    outcome: OUTCOMES[row % 4]!,
    startMs: 1_763_600_000_000 + row,
    durationMicros: 2 ** 53 - 1,
    context: labelSet({ transaction: 'GET /cart', user: `${row}` }),
    traceId: row % 2 === 0 ? '' : '0123456789abcdef'.repeat(2),
    spanId: row % 2 === 0 ? '' : '0123456789abcdef',
    spans: {
      name: rows.map((at) => `step ${at}`),
      parent: span,
      startMicros,
      durationMicros: Float64Array.from(rows, (at) => at),
      outcome: rows.map((at) => OUTCOMES[at % 4]!),
      inputs: rows.map((at) => labelSet(at % 2 === 0 ? {} : { items: `${at}` })),
    },
    samples: { stack, startMicros, wallMicros: Float64Array.from(rows, () => 10_100), cpuMicros: Float64Array.from(rows), span },
    waits: { stack, startMicros, durationMicros: Float64Array.from(rows, (at) => at * 1_000), span },
    sampleCount: 5_000,
    cpuMicros: 40_000,
    waitCount: 600,
    awaitedMicros: 70_000,
  };
}

/** The batch with one letter more in its text of `length` times `n`, as no encoder of ours writes it. */
function withLongerText(bytes: Uint8Array, length: number): Uint8Array {
  const body = new ColumnReader(bytes.subarray(4));
  const version = body.varint();
  const fields = new ColumnReader(body.bytes());
  const texts = Array.from({ length: fields.count() }, () => fields.text()).map((text) =>
    text === 'n'.repeat(length) ? `${text}n` : text,
  );
  const [longer, message] = [new ColumnWriter(), new ColumnWriter()];
  longer.texts(texts);
  longer.raw(fields.raw(fields.bytesLeft));
  message.raw(bytes.subarray(0, 4));
  message.varint(version);
  message.bytes(longer.finish());
  return message.finish();
}

describe('decodeBatches', () => {
  it('reads what encodeBatch wrote', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(decodeBatches(encodeBatch(randomBatch(seed)))).toEqual([randomBatch(seed)]);
      }),
    );
  });
  it('reads several batches behind each other', () => {
    const [a, b] = [encodeBatch(randomBatch(1)), encodeBatch(randomBatch(2))];
    expect(decodeBatches(Uint8Array.of(...a, ...b))).toEqual([randomBatch(1), randomBatch(2)]);
  });
  it('makes names storable and keeps what was wrong visible', () => {
    const batch = randomBatch(1);
    const labels = labelSet({ 'a\0': 'b\uD800' });
    const [read] = decodeBatches(encodeBatch({ ...batch, process: { ...process, host: 'x\0', labels } }));
    expect(read!.process.host).toBe('x\u2400');
    expect(read!.process.labels).toEqual([['a\u2400', 'b\uFFFD']]);
  });
  it('cuts texts that the server would refuse', () => {
    const [read] = decodeBatches(encodeBatch({ ...randomBatch(1), process: { ...process, rootDir: '\u4e2d'.repeat(100_000) } }));
    expect(read!.process.rootDir).toBe('\u4e2d'.repeat(4096));
  });
  it('walks a stack of 200,000 frames', () => {
    const length = 200_000;
    const stacks = { length, parent: Int32Array.from({ length }, (_, row) => row - 1), functionRow: new Uint32Array(length) };
    const bytes = encodeBatch({ ...randomBatch(1), stacks, exemplars: [] });
    expect(decodeBatches(bytes)[0]!.stacks).toEqual(stacks);
  });

  it('refuses an empty body, foreign bytes, a cut batch and bytes behind it', () => {
    const bytes = encodeBatch(randomBatch(1));
    expect(() => decodeBatches(new Uint8Array())).toThrowError(code('WIRE_TRUNCATED'));
    expect(() => decodeBatches(new TextEncoder().encode('{"a":1}'))).toThrowError(code('WIRE_MAGIC'));
    expect(() => decodeBatches(bytes.subarray(0, -1))).toThrowError(code('WIRE_TRUNCATED'));
    expect(() => decodeBatches(Uint8Array.of(...bytes, 0, 0, 0, 0))).toThrowError(code('WIRE_MAGIC'));
  });
  it('refuses a version of the future, and reads the batch behind it', () => {
    const good = encodeBatch(randomBatch(1));
    const future = new ColumnWriter();
    future.raw(good.subarray(0, 4));
    future.varint(WIRE_VERSION + 1);
    future.bytes(Uint8Array.of(1, 2, 3));
    expect(() => decodeBatches(future.finish())).toThrowError(code('WIRE_VERSION'));
    const { batches, errors } = decodeBatchesApart(Uint8Array.of(...future.finish(), ...good));
    expect(batches).toEqual([randomBatch(1)]);
    expect(errors.map((error) => error.code)).toEqual(['WIRE_VERSION']);
  });
  it.each<[string, string, Partial<Batch>]>([
    ['a sample in no stack', 'WIRE_ROW', { stacks: { length: 0, parent: new Int32Array(), functionRow: new Uint32Array() } }],
    ['a transaction in no label set', 'WIRE_ROW', { transactions: [{ ...randomBatch(1).transactions[0]!, labelSet: 99 }] }],
    [
      'a parent behind its child',
      'WIRE_ROW',
      { stacks: { length: 1, parent: Int32Array.of(0), functionRow: Uint32Array.of(0) }, profiles: [], exemplars: [] },
    ],
    [
      'a bucket that does not exist',
      'WIRE_ROW',
      { transactions: [{ ...randomBatch(1).transactions[0]!, sketchBucket: Int32Array.of(-9, 0, 1) }] },
    ],
    ['a profile type without its parts', 'WIRE_ROW', { profiles: [{ ...randomBatch(1).profiles[0]!, typeId: 'cpu' }] }],
    ['a process without an id', 'WIRE_VALUE', { process: { ...process, id: 'x' } }],
    ['a process without a service', 'WIRE_VALUE', { process: { ...process, service: '' } }],
  ])('refuses %s', (_, expected, broken) => {
    expect(() => decodeBatches(encodeBatch({ ...randomBatch(1), ...broken }))).toThrowError(code(expected));
  });
  it('keeps its limits to the batch and to the label set', () => {
    const bytes = encodeBatch(randomBatch(1));
    const two = Uint8Array.of(...bytes, ...bytes);
    expect(decodeBatches(two, { maxBatches: 2 })).toHaveLength(2);
    expect(() => decodeBatches(two, { maxBatches: 1 })).toThrowError(code('WIRE_COUNT'));
    const labelSets = randomBatch(1).labelSets.length;
    expect(decodeBatches(bytes, { maxLabelSets: labelSets })).toHaveLength(1);
    expect(() => decodeBatches(bytes, { maxLabelSets: labelSets - 1 })).toThrowError(code('WIRE_COUNT'));
  });

  it('takes 64 labels a set and no more, and 64 profiles a batch', () => {
    const labelsOf = (count: number) => labelSet(Array.from({ length: count }, (_, n): [string, string] => [`label${n}`, 'x']));
    const withLabels = (count: number) =>
      encodeBatch({ ...randomBatch(1), labelSets: [labelsOf(count)], profiles: [], transactions: [], exemplars: [] });
    expect(decodeBatches(withLabels(64))[0]!.labelSets[0]).toHaveLength(64);
    expect(() => decodeBatches(withLabels(65))).toThrowError(code('WIRE_COUNT'));
    const withProfiles = (count: number) =>
      encodeBatch({ ...randomBatch(1), profiles: Array.from({ length: count }, () => randomBatch(1).profiles[0]!) });
    expect(decodeBatches(withProfiles(64))[0]!.profiles).toHaveLength(64);
    expect(() => decodeBatches(withProfiles(65))).toThrowError(code('WIRE_COUNT'));
  });
  it('counts a text wherever it is referred to: a few bytes do not become gigabytes', () => {
    const long = 'x'.repeat(1024);
    const set = labelSet(Array.from({ length: 64 }, (_, n): [string, string] => [`${n}${long}`.slice(0, 1024), long]));
    const labelSets = Array.from({ length: 4096 }, () => set);
    const bytes = encodeBatch({ ...randomBatch(1), labelSets, profiles: [], transactions: [], exemplars: [] });
    expect(bytes.length).toBeLessThan(1_000_000);
    expect(() => decodeBatches(bytes)).toThrowError(code('WIRE_SIZE'));
    const names = Array.from({ length: 200 }, (_, n) => `${n}`.padEnd(4096, 'x'));
    const functions = {
      length: names.length ** 2,
      name: names.flatMap((name) => names.map(() => name)),
      scriptName: names.flatMap(() => names),
      line: new Uint32Array(names.length ** 2),
    };
    expect(() => decodeBatches(encodeBatch({ ...randomBatch(1), functions }))).toThrowError(code('WIRE_SIZE'));
  });
  it('takes so many samples and bytes from a body, over all its batches', () => {
    const bytes = encodeBatch(randomBatch(1));
    const samples = randomBatch(1).profiles.reduce((sum, { sampleStack }) => sum + sampleStack.length, 0);
    const two = Uint8Array.of(...bytes, ...bytes);
    expect(decodeBatches(two, { maxSamples: samples * 2 })).toHaveLength(2);
    const apart = decodeBatchesApart(two, { maxSamples: samples * 2 - 1 });
    expect(apart.batches).toHaveLength(1);
    expect(apart.errors.map((error) => error.code)).toEqual(['WIRE_SIZE']);
    const { decodedBytes } = decodeBatchesApart(two);
    expect(decodeBatches(two, { maxDecodedBytes: decodedBytes })).toHaveLength(2);
    expect(() => decodeBatches(two, { maxDecodedBytes: decodedBytes - 1 })).toThrowError(code('WIRE_SIZE'));
  });
  it('reads whatever encodeBatch writes of texts without end, and refuses what it would have cut', () => {
    const endless = '\u4e2d'.repeat(20_000);
    const batch: Batch = {
      ...randomBatch(1),
      process: {
        ...process,
        service: endless,
        environment: endless,
        revision: endless,
        host: endless,
        labels: [[endless, endless]],
      },
      series: [{ name: endless, value: 1 }],
    };
    const [read] = decodeBatches(encodeBatch(batch));
    expect(read!.process.service).toHaveLength(200);
    expect(read!.process.revision).toHaveLength(200);
    expect(read!.process.host).toHaveLength(4096);
    expect(read!.process.labels[0]![1]).toHaveLength(1024);
    expect(read!.series[0]!.name).toHaveLength(200);
  });
  it.each([
    ['service', 200],
    ['environment', 200],
    ['revision', 200],
    ['label', 1024],
    ['series', 200],
    ['host', 4096],
  ] as const)('refuses a %s of more than %i characters', (what, most) => {
    // The last letter stands at the end of one text of the batch: one letter more is put into its bytes.
    const name = 'n'.repeat(most);
    const change: Partial<Batch> =
      what === 'series'
        ? { series: [{ name, value: 1 }] }
        : { process: { ...process, ...(what === 'label' ? { labels: [['region', name]] } : { [what]: name }) } };
    const good = encodeBatch({ ...randomBatch(1), ...change });
    expect(decodeBatches(good)).toHaveLength(1);
    expect(() => decodeBatches(withLongerText(good, most))).toThrowError(code('WIRE_STRING'));
  });

  it('gives a coded error or a batch for 5,000 damaged messages, quickly', () => {
    const good = encodeBatch(randomBatch(3));
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const startedAt = performance.now();
    fc.assert(
      fc.property(damage, fc.nat(good.length), fc.boolean(), (changes, length, isCut) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const { errors } = decodeBatchesApart(isCut ? bytes.subarray(0, length) : bytes);
        for (const error of errors) expect(error.code).toMatch(/^WIRE_/);
      }),
      { numRuns: 5_000 },
    );
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });
});

describe('encodeBatch', () => {
  it('refuses numbers that are not whole, negative or not finite', () => {
    const batch = randomBatch(1);
    const profile = { ...batch.profiles[0]!, sampleValue: batch.profiles[0]!.sampleValue.map(() => -1) };
    expect(() => encodeBatch({ ...batch, profiles: [profile] })).toThrowError(code('WIRE_VALUE'));
    expect(() => encodeBatch({ ...batch, series: [{ name: 'x', value: Number.NaN }] })).toThrowError(code('WIRE_VALUE'));
    expect(() => encodeBatch({ ...batch, durationMs: 0.5 })).toThrowError(code('WIRE_VALUE'));
  });
  it('refuses columns of different length', () => {
    const batch = randomBatch(1);
    expect(() => encodeBatch({ ...batch, profiles: [{ ...batch.profiles[0]!, sampleCount: new Float64Array(1) }] })).toThrowError(
      code('WIRE_COUNT'),
    );
    for (const short of [{ line: new Uint32Array(1) }, { column: new Uint32Array(1) }]) {
      expect(() => encodeBatch({ ...batch, functions: { ...batch.functions, ...short } })).toThrowError(code('WIRE_COUNT'));
    }
  });
});
