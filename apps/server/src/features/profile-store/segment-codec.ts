import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DurationMs } from '@hearth/profile-model';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { readRows, RowSums, STORED_LIMITS, writeRows, type LabelSetRows } from './profile-rows.js';
import { StoreError } from './store-error.js';

/** The codec byte is the version of the format: another layout takes another number. */
const CODEC_DEFLATE = 1;
const MAX_SEGMENT_BYTES = 512 * 1024 * 1024;

/** One flush of one process within a window. */
export interface SegmentPart {
  readonly processId: number;
  /** Start of the flush - start of the window. */
  readonly offsetMs: DurationMs;
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
 * The merged profiles of one window, kept apart by process and flush.
 *
 *     codec u8 = 1 | deflated:
 *       keys      n | n deltas     stack ids + 1 that occur, ascending; bodies name them by row
 *       process   p | p deltas     one per flush = part, sorted by process, then offset
 *       offset    p | p deltas     ms
 *       duration  p | p deltas     ms
 *       length    p | p deltas     bytes of each body
 *       body x p  profile-rows.ts  can be stepped over without decoding
 */
export function encodeDetail(parts: readonly SegmentPart[]): Uint8Array {
  const sorted = [...parts].sort((a, b) => a.processId - b.processId || a.offsetMs - b.offsetMs);
  const keys = Float64Array.from(new Set(sorted.flatMap((part) => part.rows.flatMap((one) => [...one.key])))).sort();
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
  head.deltaColumn(sorted.map((part) => part.offsetMs));
  head.deltaColumn(sorted.map((part) => part.durationMs));
  head.deltaColumn(bodies.map((body) => body.length));
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(Buffer.concat([head.finish(), ...bodies]))]);
}

/** Which flushes of a detail are wanted. */
export type WantPart = (processId: number, offsetMs: DurationMs) => boolean;

/**
 * The wanted flushes, by process, then time. A body that is not wanted is stepped over, never decoded.
 *
 * @throws {StoreError} `SEGMENT_CODEC`, `SEGMENT_DAMAGED`
 */
export function decodeDetail(detail: Uint8Array, stackCount: number, want: WantPart = () => true): SegmentPart[] {
  return reading(detail, () => {
    const bytes = inflate(detail.subarray(1));
    const head = new ColumnReader(bytes, STORED_LIMITS);
    const keys = head.deltaColumn();
    for (const key of keys) if (!(key >= 0 && key <= stackCount)) throw new Error(`stack ${key - 1} of ${stackCount}`);
    const processIds = head.deltaColumn();
    const [offsets, durations, lengths] = [head.deltaColumn(), head.deltaColumn(), head.deltaColumn()];
    if (offsets.length !== processIds.length || durations.length !== processIds.length || lengths.length !== processIds.length) {
      throw new Error(
        `${processIds.length} processes, ${offsets.length} offsets, ${durations.length} durations, ${lengths.length} bodies`,
      );
    }
    const parts: SegmentPart[] = [];
    let at = head.position;
    for (let part = 0, end = at; part < processIds.length; part += 1, at = end) {
      end = at + lengths[part]!;
      // The slice ends the body, so that a lie in one part cannot read into the next.
      if (!(end >= at && end <= bytes.length)) throw new Error(`part ${part} ends at byte ${end} of ${bytes.length}`);
      const processId = processIds[part]!;
      const offsetMs = offsets[part]!;
      if (!want(processId, offsetMs)) continue;
      const rows = readRows(new ColumnReader(bytes.subarray(at, end), STORED_LIMITS), keys.length);
      for (const one of rows) for (let row = 0; row < one.key.length; row += 1) one.key[row] = keys[one.key[row]!]!;
      parts.push({ processId, offsetMs, durationMs: durations[part]!, rows });
    }
    return parts;
  });
}

/**
 * The merged profile of one window, without processes. Its head is readable without inflating: a timeline over many
 * windows needs no more.
 *
 *     codec u8 = 1
 *     head      observed ms varint | label sets n | n deltas | value, count as float64 each, per label set
 *     deflated  body (profile-rows.ts), keys are stack id + 1
 */
export function encodeTotals(parts: readonly SegmentPart[]): Uint8Array {
  const sums = new RowSums();
  for (const { rows } of parts) {
    for (const one of rows)
      for (let row = 0; row < one.key.length; row += 1) sums.add(one.labelSetId, one.key[row]!, one.value[row]!, one.count[row]!);
  }
  const rows = sums.rows();
  const bySet = labelSetSums(rows);
  const head = new ColumnWriter();
  head.varint(observedMs(parts));
  head.deltaColumn(bySet.map((one) => one.labelSetId));
  for (const one of bySet) {
    head.float64(one.value);
    head.float64(one.count);
  }
  const body = new ColumnWriter();
  writeRows(body, rows);
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
    value: one.value.reduce((sum, value) => sum + value, 0),
    count: one.count.reduce((sum, count) => sum + count, 0),
  }));
}

/** Several profiles of one flush (of several threads, or of a client that sends in parts) cover its time once. */
function observedMs(parts: readonly SegmentPart[]): DurationMs {
  const longest = new Map<string, DurationMs>();
  for (const { processId, offsetMs, durationMs } of parts) {
    const flush = `${processId}.${offsetMs}`;
    longest.set(flush, Math.max(longest.get(flush) ?? 0, durationMs));
  }
  let sum = 0;
  for (const durationMs of longest.values()) sum += durationMs;
  return Math.min(Number.MAX_SAFE_INTEGER, sum);
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
