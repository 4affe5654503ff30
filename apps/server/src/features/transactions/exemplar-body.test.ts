import { deflateRawSync } from 'node:zlib';
import type { StackTable } from '@hearth/profile-model';
import { OUTCOMES } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { decodeExemplarBody, encodeExemplarBody, MAX_BODY_BYTES, type ExemplarBody } from './exemplar-body.js';

const damaged: Error = expect.objectContaining({ code: 'EXEMPLAR_DAMAGED' }) as Error;

function randomBody(random: () => number, size = 40): ExemplarBody {
  const below = (limit: number) => Math.floor(random() * limit);
  const [functions, stacks, spans, samples, waits] = [1 + below(size), 1 + below(size), below(size), below(size), below(size)];
  const texts = (length: number) => Array.from({ length }, () => ['', 'a', 'handle', 'ä→\u{1F600}', 'x'.repeat(300)][below(5)]!);
  const ints = (length: number, of: (row: number) => number) => Int32Array.from({ length }, (_, row) => of(row));
  const micros = (length: number) => Float64Array.from({ length }, () => (below(9) === 0 ? below(2 ** 50) : below(50_000)));
  const starts = (length: number) => micros(length).sort();
  return {
    traceId: ['', '4bf92f3577b34da6a3ce929d0e0e4736'][below(2)]!,
    spanId: '',
    functions: { length: functions, name: texts(functions), package: texts(functions), file: texts(functions) },
    stacks: {
      length: stacks,
      parent: ints(stacks, (row) => below(row + 1) - 1),
      functionRow: Uint32Array.from({ length: stacks }, () => below(functions)),
    },
    spans: {
      name: texts(spans),
      parent: ints(spans, (row) => below(row + 1) - 1),
      startMicros: starts(spans),
      durationMicros: micros(spans),
      outcome: Array.from({ length: spans }, () => OUTCOMES[below(OUTCOMES.length)]!),
      inputs: Array.from({ length: spans }, () => texts(below(4)).map((text) => [`name ${text}`, text] as const)),
    },
    samples: {
      stack: ints(samples, () => below(stacks + 1) - 1),
      startMicros: starts(samples),
      wallMicros: micros(samples),
      cpuMicros: micros(samples),
      span: ints(samples, () => below(spans + 1) - 1),
    },
    waits: {
      stack: ints(waits, () => below(stacks + 1) - 1),
      startMicros: starts(waits),
      durationMicros: micros(waits),
      span: ints(waits, () => below(spans + 1) - 1),
    },
  };
}

describe('the body of an exemplar', () => {
  it.each(Array.from({ length: 50 }, (_, seed) => seed))('comes back as it was, seed %i', async (seed) => {
    const body = randomBody(randomNumbers(seed));
    expect(await decodeExemplarBody((await encodeExemplarBody(body))!)).toEqual(body);
  });

  it('never breaks a reader, whatever becomes of its bytes', async () => {
    const random = randomNumbers(7);
    const faults: unknown[] = [];
    const read = async (bytes: Uint8Array) =>
      decodeExemplarBody(bytes).catch((error: unknown) => {
        faults.push(error);
        return undefined;
      });
    const whole = (await encodeExemplarBody(randomBody(random)))!;
    for (let length = 0; length < whole.length; length += 1) expect(await read(whole.subarray(0, length))).toBeUndefined();
    for (let flip = 0; flip < 500; flip += 1) {
      const bytes = whole.slice();
      bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      await read(bytes);
    }
    // Inflated bytes that say something else: beneath the checksum that deflating is.
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256));
      await read(Buffer.concat([Uint8Array.of(1), deflateRawSync(bytes)]));
    }
    expect(faults.length).toBeGreaterThan(whole.length + 500);
    for (const fault of faults) expect(fault).toEqual(damaged);
  });

  it.each<[string, (body: ExemplarBody) => ExemplarBody]>([
    ['a sample on a stack that is not there', (one) => ({ ...one, samples: { ...one.samples, stack: [one.stacks.length] } })],
    ['a sample in a span that is not there', (one) => ({ ...one, samples: { ...one.samples, span: [one.spans.name.length] } })],
    ['a wait in a span that is not there', (one) => ({ ...one, waits: { ...one.waits, span: [-2] } })],
    ['a span before its parent', (one) => ({ ...one, spans: { ...one.spans, parent: [0] } })],
    ['a span more than it has inputs', (one) => ({ ...one, spans: { ...one.spans, inputs: [] } })],
    ['columns of different length', (one) => ({ ...one, samples: { ...one.samples, wallMicros: [] } })],
    ['a stack before its caller', (one) => ({ ...one, stacks: withParent(one.stacks, 0) })],
    ['a function that is not there', (one) => ({ ...one, functions: { length: 0, name: [], package: [], file: [] } })],
    ['a file less than it has functions', (one) => ({ ...one, functions: { ...one.functions, file: [] } })],
  ])('is refused with %s', async (_, broken) => {
    const column = [0];
    const body: ExemplarBody = {
      traceId: '',
      spanId: '',
      functions: { length: 1, name: ['main'], package: [''], file: [''] },
      stacks: { length: 1, parent: Int32Array.of(-1), functionRow: Uint32Array.of(0) },
      spans: { name: ['load'], parent: [-1], startMicros: column, durationMicros: column, outcome: ['ok'], inputs: [[]] },
      samples: { stack: column, startMicros: column, wallMicros: column, cpuMicros: column, span: column },
      waits: { stack: column, startMicros: column, durationMicros: column, span: column },
    };
    await expect(decodeExemplarBody((await encodeExemplarBody(body))!)).resolves.toBeDefined();
    await expect(decodeExemplarBody((await encodeExemplarBody(broken(body)))!)).rejects.toEqual(damaged);
  });

  it('is refused when it is of another codec, or inflates to more than is ever written', async () => {
    await expect(decodeExemplarBody(Uint8Array.of(2, 0))).rejects.toEqual(damaged);
    const bomb = Buffer.concat([Uint8Array.of(1), deflateRawSync(new Uint8Array(MAX_BODY_BYTES + 1))]);
    await expect(decodeExemplarBody(bomb)).rejects.toMatchObject({ code: 'EXEMPLAR_DAMAGED', detail: /larger than/ });
  });

  it('is not written beyond its size', async () => {
    const body = randomBody(randomNumbers(1));
    const of = (characters: number) => ({ ...body, traceId: 'x'.repeat(characters) });
    const rest = await writtenBytes(body, 1_000_000);
    expect(await encodeExemplarBody(of(MAX_BODY_BYTES - rest))).toBeDefined();
    expect(await encodeExemplarBody(of(MAX_BODY_BYTES - rest + 1))).toBeUndefined();
  });
});

/** What a body takes beside a trace id of so many characters, found by trying. */
async function writtenBytes(body: ExemplarBody, characters: number): Promise<number> {
  let [low, high] = [characters, MAX_BODY_BYTES];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((await encodeExemplarBody({ ...body, traceId: 'x'.repeat(middle) })) === undefined) high = middle;
    else low = middle;
  }
  return MAX_BODY_BYTES - low;
}

function withParent(stacks: StackTable, parent: number): StackTable {
  return { ...stacks, parent: stacks.parent.map(() => parent) };
}
