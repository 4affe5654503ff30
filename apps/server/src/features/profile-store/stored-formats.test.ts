import { inflateRawSync } from 'node:zlib';
import { ColumnWriter } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock, type BlockColumns } from './block-codec.js';
import { buildSegment, totalsOfFlushes } from './build-segment.js';
import { RowSums, writeRows, type LabelSetRows } from './profile-rows.js';
import { decodeDetail, decodeTotals, encodeDetail, encodeTotals, type SegmentPart } from './segment-codec.js';

const STACKS = 5_000;

/** Seeded numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

function randomColumns(random: () => number, rows: number): BlockColumns {
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    stackId: Int32Array.from({ length: rows }, () => below(STACKS + 1) - 1),
    labelSetId: Uint32Array.from({ length: rows }, () => 1 + below(4)),
    value: Float64Array.from({ length: rows }, () => (random() < 0.1 ? below(2 ** 45) : 10_101 + below(40))),
    count: Float64Array.from({ length: rows }, () => 1 + below(3)),
  };
}

/** The same, summed by label set and stack. */
function plainRows({ stackId, labelSetId, value, count }: BlockColumns, scale = 1): LabelSetRows[] {
  const sums = new RowSums();
  stackId.forEach((id, row) => {
    sums.add(labelSetId[row]!, id + 1, value[row]! * scale, count[row]!);
  });
  return sums.rows();
}

const randomParts = (random: () => number, parts: number): SegmentPart[] =>
  Array.from({ length: parts }, (_, part) => ({
    processId: 1 + (part % 7),
    slot: 10_000 * Math.floor(part / 7),
    durationMs: 10_000 + (part % 3),
    rows: plainRows(randomColumns(random, 60)),
  }));

/** Cut short, bits flipped, bytes put in: whatever a disk or a fault may do. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = Math.floor(random() * copy.length);
  const way = random();
  if (way < 0.3) return copy.subarray(0, at);
  copy[at]! ^= 1 << Math.floor(random() * 8);
  if (way < 0.6) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  return copy;
}

function outcomeOf(read: () => LabelSetRows[]): string {
  try {
    const isSound = read().every(
      ({ key, value, count }) =>
        key.every((one) => one >= 0 && one <= STACKS) && value.every((one) => one >= 0) && count.every((one) => one >= 0),
    );
    return isSound ? 'sound numbers' : 'wrong numbers';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('encodeBlock', () => {
  it.each([0, 1, 2, 40, 3_000])('reads back what was written, %i rows', (rows) => {
    const columns = randomColumns(randomNumbers(rows + 1), rows);
    expect(decodeBlock(encodeBlock(columns, 1), STACKS)).toEqual(plainRows(columns));
  });

  it('needs fewer bytes for values in steps, and keeps each', () => {
    const random = randomNumbers(7);
    const columns = {
      ...randomColumns(random, 600),
      value: Float64Array.from({ length: 600 }, () => Math.floor(20_000 * random())),
    };
    const inSteps = { ...columns, value: columns.value.map((value) => Math.round(value / 100) * 100) };
    const [exact, coarse] = [encodeBlock(columns, 1), encodeBlock(inSteps, 1)];
    expect(decodeBlock(coarse, STACKS)).toEqual(plainRows(inSteps));
    expect(coarse.length / exact.length).toBeLessThan(0.8);
    const oneOff = { ...inSteps, value: inSteps.value.with(300, 101) };
    expect(decodeBlock(encodeBlock(oneOff, 1), STACKS)).toEqual(plainRows(oneOff));
    const nothing = { ...inSteps, value: new Float64Array(600) };
    expect(decodeBlock(encodeBlock(nothing, 1), STACKS)).toEqual(plainRows(nothing));
  });

  it('multiplies levels by their period', () => {
    const columns = randomColumns(randomNumbers(3), 50);
    const small = { ...columns, value: columns.value.map((value) => value % 1e9) };
    expect(decodeBlock(encodeBlock(small, 9_997), STACKS)).toEqual(plainRows(small, 9_997));
  });

  it('keeps values that pass 2^51 to fourteen digits', () => {
    const [rows] = decodeBlock(
      encodeBlock(
        {
          stackId: Int32Array.of(1, 2),
          labelSetId: Uint32Array.of(1, 1),
          value: Float64Array.of(5, 7e15),
          count: Float64Array.of(1, 9),
        },
        1000,
      ),
      STACKS,
    );
    expect(rows!.value[1]! / 7e18).toBeCloseTo(1, 14);
    expect(rows!.count).toEqual(Float64Array.of(1, 9));
  });

  it('refuses a stack that the dictionary does not have: the last accepted, the first refused', () => {
    const block = encodeBlock(
      { stackId: Int32Array.of(99), labelSetId: Uint32Array.of(1), value: Float64Array.of(1), count: Float64Array.of(1) },
      1,
    );
    expect(decodeBlock(block, 100)[0]!.key).toEqual(Float64Array.of(100));
    expect(() => decodeBlock(block, 99)).toThrow(expect.objectContaining({ code: 'BLOCK_DAMAGED' }));
  });

  it('answers damage with a code or with numbers, never with anything else', () => {
    const random = randomNumbers(11);
    const block = encodeBlock(randomColumns(random, 300), 1);
    for (let times = 0; times < 1_500; times += 1) {
      expect(outcomeOf(() => decodeBlock(damaged(block, random), STACKS))).toMatch(/^(sound numbers|BLOCK_CODEC|BLOCK_DAMAGED)$/);
    }
  });
});

describe('encodeDetail and encodeTotals', () => {
  it('read back every flush, or the wanted ones alone', () => {
    const parts = randomParts(randomNumbers(1), 42);
    const detail = encodeDetail(parts);
    const sorted = [...parts].sort((a, b) => a.processId - b.processId || a.slot - b.slot);
    expect(decodeDetail(detail, STACKS)).toEqual(sorted);
    expect(decodeDetail(detail, STACKS, (processId, slot) => processId === 3 && slot >= 20_000)).toEqual(
      sorted.filter((part) => part.processId === 3 && part.slot >= 20_000),
    );
  });

  it('sum to the unit, and tell the sums without inflating', () => {
    const parts = randomParts(randomNumbers(2), 42);
    const totals = decodeTotals(totalsOfFlushes(parts));
    const sums = new RowSums();
    for (const one of parts.flatMap((part) => part.rows))
      one.key.forEach((key, row) => {
        sums.add(one.labelSetId, key, one.value[row]!, one.count[row]!);
      });
    expect(totals.rows(STACKS)).toEqual(sums.rows());
    expect(totals.sums.map((one) => [one.labelSetId, one.value, one.count])).toEqual(
      sums.rows().map((one) => [one.labelSetId, one.value.reduce((a, b) => a + b, 0), one.count.reduce((a, b) => a + b, 0)]),
    );
    expect(totals.observedMs).toBe(parts.reduce((sum, part) => sum + part.durationMs, 0));
  });

  it('count the time of one flush once, however many profiles it sent', () => {
    const [part] = randomParts(randomNumbers(3), 1);
    expect(decodeTotals(totalsOfFlushes([part!, { ...part!, durationMs: part!.durationMs - 1 }])).observedMs).toBe(
      part!.durationMs,
    );
  });

  it('stop at the largest count that can be kept, instead of never being built', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const row = { labelSetId: 1, key: Float64Array.of(1), value: Float64Array.of(5), count: Float64Array.of(most) };
    const part = { processId: 1, slot: 0, durationMs: most, rows: [row] };
    const totals = decodeTotals(totalsOfFlushes([part, { ...part, processId: 2 }]));
    expect(totals.rows(STACKS)[0]!.count[0]).toBe(most);
    expect(totals.rows(STACKS)[0]!.value[0]).toBe(10);
    expect(totals.observedMs).toBe(most);
  });

  it('refuse to write what could not be read again: the last byte accepted, the first refused', () => {
    const parts = randomParts(randomNumbers(4), 20);
    const sums = new RowSums();
    for (const part of parts) sums.addRows(part.rows);
    const rows = sums.rows();
    const refusal = expect.objectContaining({ code: 'SEGMENT_TOO_LARGE' });
    const detailBytes = inflateRawSync(encodeDetail(parts).subarray(1)).length;
    expect(decodeDetail(encodeDetail(parts, detailBytes), STACKS)).toHaveLength(parts.length);
    expect(() => encodeDetail(parts, detailBytes - 1)).toThrow(refusal);
    const body = new ColumnWriter();
    writeRows(body, rows);
    expect(decodeTotals(encodeTotals(rows, 1, body.length)).rows(STACKS)).toEqual(rows);
    expect(() => encodeTotals(rows, 1, body.length - 1)).toThrow(refusal);
  });

  it('hold nothing as well', () => {
    expect(decodeDetail(encodeDetail([]), STACKS)).toEqual([]);
    expect(decodeTotals(totalsOfFlushes([])).rows(STACKS)).toEqual([]);
  });

  it('answer damage with a code or with numbers, never with anything else', () => {
    const random = randomNumbers(5);
    const parts = randomParts(random, 20);
    const [detail, totals] = [encodeDetail(parts), totalsOfFlushes(parts)];
    for (let times = 0; times < 1_000; times += 1) {
      for (const read of [
        () => decodeDetail(damaged(detail, random), STACKS).flatMap((part) => part.rows),
        () => decodeTotals(damaged(totals, random)).rows(STACKS),
      ]) {
        expect(outcomeOf(read)).toMatch(/^(sound numbers|SEGMENT_CODEC|SEGMENT_DAMAGED)$/);
      }
    }
  });
});

describe('buildSegment', () => {
  it('gives the same segment whichever blocks were built first', () => {
    const random = randomNumbers(8);
    const blocks = Array.from({ length: 12 }, (_, n) => ({
      processId: 1 + (n % 3),
      startMs: 60_000 + 10_000 * Math.floor(n / 3),
      durationMs: 10_000,
      data: encodeBlock(randomColumns(random, 30), 1),
    }));
    const atOnce = buildSegment({ want: 'minute', windowStartMs: 60_000, detail: undefined, blocks });
    const first = buildSegment({ want: 'minute', windowStartMs: 60_000, detail: undefined, blocks: blocks.slice(5) });
    const then = buildSegment({ want: 'minute', windowStartMs: 60_000, detail: first.detail, blocks: blocks.slice(0, 5) });
    expect(Buffer.compare(then.detail, atOnce.detail)).toBe(0);
    expect(Buffer.compare(then.totals, atOnce.totals)).toBe(0);
  });
});
