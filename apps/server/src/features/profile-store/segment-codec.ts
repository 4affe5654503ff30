import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DurationMs } from '@hearth/profile-model';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { readRows, STORED_LIMITS, writeRows, type LabelSetRows } from './profile-rows.js';
import { StoreError } from './store-error.js';

/** The codec byte is the version of the format: another layout takes another number. */
const CODEC_DEFLATE = 1;
/** Inflated. */
const MAX_SEGMENT_BYTES = 512 * 1024 * 1024;

/** What one process did in one flush of a minute, or at one age within an hour or day. */
export interface SegmentPart {
  readonly processId: number;
  /** Of a minute: start of the flush - start of the window, ms. Of an hour or day: the process's `ageStratum`. */
  readonly slot: number;
  /** Of an hour or day: of all its flushes together. */
  readonly durationMs: DurationMs;
  /** Keys are stack id + 1. */
  readonly rows: readonly LabelSetRows[];
}

/** What the samples of a window sum up to for one label set. */
export interface LabelSetSum {
  readonly labelSetId: number;
  readonly value: number;
  readonly count: number;
}

/**
 * The merged profiles of one window, kept apart by process and slot.
 *
 *     codec u8 = 1 | deflated:
 *       keys      n | n deltas     stack ids + 1 that occur, ascending; bodies name them by row
 *       process   p | p deltas     one per part, sorted by process, then slot
 *       slot      p | p deltas
 *       duration  p | p deltas     ms
 *       length    p | p deltas     bytes of each body
 *       body x p  profile-rows.ts  can be stepped over without decoding
 *
 * @throws {StoreError} `SEGMENT_TOO_LARGE` for one that nobody could inflate again
 */
export function encodeDetail(parts: readonly SegmentPart[], maxBytes = MAX_SEGMENT_BYTES): Uint8Array {
  const sorted = [...parts].sort((a, b) => a.processId - b.processId || a.slot - b.slot);
  const used = new Set<number>();
  for (const { rows } of sorted) for (const { key } of rows) for (const one of key) used.add(one);
  const keys = Float64Array.from(used).sort();
  const rowOf = new Map(Array.from(keys, (key, row) => [key, row]));
  const bodies = sorted.map((part) => {
    const writer = new ColumnWriter();
    writeRows(
      writer,
      part.rows.map((one) => ({ ...one, key: one.key.map((key) => rowOf.get(key)!) })),
    );
    return writer.finish();
  });
  const head = new ColumnWriter();
  head.deltaColumn(keys);
  head.deltaColumn(sorted.map((part) => part.processId));
  head.deltaColumn(sorted.map((part) => part.slot));
  head.deltaColumn(sorted.map((part) => part.durationMs));
  head.deltaColumn(bodies.map((body) => body.length));
  assertSegmentBytes(
    bodies.reduce((sum, body) => sum + body.length, head.length),
    maxBytes,
  );
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(Buffer.concat([head.finish(), ...bodies]))]);
}

/** Of a window in which nothing happened. */
export const EMPTY_DETAIL = Buffer.from(encodeDetail([]));

/** A detail whose bodies are decoded one by one. Columns of one length, by process, then slot. */
export interface DetailReader {
  /** Those that occur, ascending: stack id + 1. */
  readonly keys: Float64Array;
  readonly processId: Float64Array;
  readonly slot: Float64Array;
  readonly durationMs: Float64Array;
  /** Keys are stack id + 1. @throws {StoreError} `SEGMENT_DAMAGED` */
  rows(part: number): LabelSetRows[];
}

/** @throws {StoreError} `SEGMENT_CODEC`, `SEGMENT_DAMAGED` */
export function openDetail(detail: Uint8Array, stackCount: number): DetailReader {
  return reading(detail, () => {
    const bytes = inflate(detail.subarray(1));
    const head = new ColumnReader(bytes, STORED_LIMITS);
    const keys = head.deltaColumn();
    for (const key of keys) if (!(key >= 0 && key <= stackCount)) throw new Error(`stack ${key - 1} of ${stackCount}`);
    const [processId, slot, durationMs, lengths] = [
      head.deltaColumn(),
      head.deltaColumn(),
      head.deltaColumn(),
      head.deltaColumn(),
    ];
    if (slot.length !== processId.length || durationMs.length !== processId.length || lengths.length !== processId.length) {
      throw new Error(
        `${processId.length} processes, ${slot.length} slots, ${durationMs.length} durations, ${lengths.length} bodies`,
      );
    }
    const starts = new Float64Array(lengths.length + 1).fill(head.position);
    for (let part = 0; part < lengths.length; part += 1) {
      const end = starts[part]! + lengths[part]!;
      if (!(end >= starts[part]! && end <= bytes.length)) throw new Error(`part ${part} ends at byte ${end} of ${bytes.length}`);
      starts[part + 1] = end;
    }
    const rows = (part: number) =>
      reading(detail, () => {
        // The slice ends the body, so that a lie in one part cannot read into the next.
        const body = bytes.subarray(starts[part], starts[part + 1]);
        const found = readRows(new ColumnReader(body, STORED_LIMITS), keys.length);
        for (const one of found) for (let row = 0; row < one.key.length; row += 1) one.key[row] = keys[one.key[row]!]!;
        return found;
      });
    return { keys, processId, slot, durationMs, rows };
  });
}

/** Which parts of a detail are wanted. */
export type WantPart = (processId: number, slot: number) => boolean;

/**
 * The wanted parts, by process, then slot. A body that is not wanted is stepped over, never decoded.
 *
 * @throws {StoreError} `SEGMENT_CODEC`, `SEGMENT_DAMAGED`
 */
export function decodeDetail(detail: Uint8Array, stackCount: number, want: WantPart = () => true): SegmentPart[] {
  const reader = openDetail(detail, stackCount);
  return Array.from(reader.processId.keys())
    .filter((part) => want(reader.processId[part]!, reader.slot[part]!))
    .map((part) => ({
      processId: reader.processId[part]!,
      slot: reader.slot[part]!,
      durationMs: reader.durationMs[part]!,
      rows: reader.rows(part),
    }));
}

/**
 * The merged profile of one window, without processes. Its head is readable without inflating: a timeline over many
 * windows needs no more.
 *
 *     codec u8 = 1
 *     head      observed ms varint | label sets n | n deltas | value, count as float64 each, per label set
 *     deflated  body (profile-rows.ts), keys are stack id + 1
 *
 * @throws {StoreError} `SEGMENT_TOO_LARGE` for one that nobody could inflate again
 */
export function encodeTotals(rows: readonly LabelSetRows[], observedMs: DurationMs, maxBytes = MAX_SEGMENT_BYTES): Uint8Array {
  const bySet = labelSetSums(rows);
  const head = new ColumnWriter();
  head.varint(Math.min(Number.MAX_SAFE_INTEGER, observedMs));
  head.deltaColumn(bySet.map((one) => one.labelSetId));
  for (const one of bySet) {
    head.float64(one.value);
    head.float64(one.count);
  }
  const body = new ColumnWriter();
  writeRows(body, rows);
  assertSegmentBytes(body.length, maxBytes);
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), head.finish(), deflateRawSync(body.finish())]);
}

export interface Totals {
  /** Process-time that the window's flushes cover. */
  readonly observedMs: DurationMs;
  readonly sums: readonly LabelSetSum[];
  /** Inflates and decodes: keys are stack id + 1. @throws {StoreError} `SEGMENT_DAMAGED` */
  rows(stackCount: number): LabelSetRows[];
}

/** @throws {StoreError} `SEGMENT_CODEC`, `SEGMENT_DAMAGED` */
export function decodeTotals(totals: Uint8Array): Totals {
  return reading(totals, () => {
    const reader = new ColumnReader(totals.subarray(1), STORED_LIMITS);
    const observed = reader.varint();
    const labelSetIds = reader.deltaColumn();
    const sums = Array.from(labelSetIds, (labelSetId) => ({ labelSetId, value: reader.float64(), count: reader.float64() }));
    if (!sums.every(({ value, count }) => value >= 0 && count >= 0)) throw new Error('a sum below 0');
    const bodyAt = 1 + reader.position;
    return {
      observedMs: observed,
      sums,
      rows: (stackCount) =>
        reading(totals, () => readRows(new ColumnReader(inflate(totals.subarray(bodyAt)), STORED_LIMITS), stackCount + 1)),
    };
  });
}

export function labelSetSums(rows: readonly LabelSetRows[]): LabelSetSum[] {
  return rows.map((one) => ({
    labelSetId: one.labelSetId,
    value: sumOf(one.value),
    count: sumOf(one.count),
  }));
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < values.length; row += 1) sum += values[row]!;
  return sum;
}

/** Before it is stored and what it was made of is deleted. */
function assertSegmentBytes(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new StoreError('SEGMENT_TOO_LARGE', `a segment of ${bytes} bytes, ${maxBytes} can be read again`);
}

function inflate(bytes: Uint8Array): Buffer {
  return inflateRawSync(bytes, { maxOutputLength: MAX_SEGMENT_BYTES });
}

function reading<Result>(bytes: Uint8Array, read: () => Result): Result {
  if (bytes[0] !== CODEC_DEFLATE)
    throw new StoreError('SEGMENT_CODEC', `a segment of codec ${bytes[0]}: damaged, or written by a newer server`);
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('SEGMENT_DAMAGED', `a segment of ${bytes.length} bytes cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
