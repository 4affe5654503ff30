import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { readRows, RowSums, STORED_LIMITS, writeRows, type LabelSetRows } from './profile-rows.js';
import { StoreError } from './store-error.js';

/** The codec byte is the version of the format: another layout takes another number. */
const CODEC_PLAIN = 1;
const CODEC_DEFLATE = 2;
/** Below this a deflated block is seldom smaller. */
const DEFLATE_ABOVE_BYTES = 96;
/** Deflating is half of what storing a block costs; the last two per cent are left to the segment, which is made once. */
const DEFLATE_LEVEL = 3;
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** One profile of one flush, as columns of one length. */
export interface BlockColumns {
  /** Id in the service's stack dictionary, or `NO_STACK`. */
  readonly stackId: Int32Array;
  readonly labelSetId: Uint32Array;
  readonly value: Float64Array;
  readonly count: Float64Array;
}

/**
 * A stored block: codec u8 | body (profile-rows.ts), keys are stack id + 1. Rows that share stack and label set are summed.
 *
 * @param scale Multiplies every value: the period in milliseconds for levels, 1 for flows.
 */
export function encodeBlock(columns: BlockColumns, scale: number): Uint8Array {
  const writer = new ColumnWriter();
  writeRows(writer, sortedRows(columns, scale));
  const body = writer.finish();
  if (body.length < DEFLATE_ABOVE_BYTES) return Buffer.concat([Uint8Array.of(CODEC_PLAIN), body]);
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(body, { level: DEFLATE_LEVEL })]);
}

/**
 * @param stackCount Stacks there are: a larger id is damage.
 * @throws {StoreError} `BLOCK_CODEC`, `BLOCK_DAMAGED`
 */
export function decodeBlock(block: Uint8Array, stackCount: number): LabelSetRows[] {
  const codec = block[0];
  if (codec !== CODEC_PLAIN && codec !== CODEC_DEFLATE)
    throw new StoreError('BLOCK_CODEC', `a block of codec ${codec}: damaged, or written by a newer server`);
  try {
    const body =
      codec === CODEC_PLAIN ? block.subarray(1) : inflateRawSync(block.subarray(1), { maxOutputLength: MAX_BLOCK_BYTES });
    return readRows(new ColumnReader(body, STORED_LIMITS), stackCount + 1);
  } catch (error) {
    throw new StoreError('BLOCK_DAMAGED', `a block of ${block.length} bytes cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Sorted by label set, then stack: small differences, and a body's rows meet the columns they are added to in order. */
function sortedRows({ stackId, labelSetId, value, count }: BlockColumns, scale: number): LabelSetRows[] {
  const sums = new RowSums();
  for (let row = 0; row < stackId.length; row += 1)
    sums.add(labelSetId[row]!, stackId[row]! + 1, value[row]! * scale, count[row]!);
  return sums.rows();
}
