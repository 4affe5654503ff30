import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { readRows, STORED_LIMITS, writeRows, type LabelSetRows } from './profile-rows.js';
import { StoreError } from './store-error.js';

/** The codec byte is the version of the format: another layout takes another number. */
const CODEC_PLAIN = 1;
const CODEC_DEFLATE = 2;
/** Below this a deflated block is seldom smaller. */
const DEFLATE_ABOVE_BYTES = 96;
/**
 * Fast: the last two per cent are left to the segment, which is made once. Small tables: a block has hundreds of bytes, and to make zlib's usual
 * tables of 256 KiB would take longer than to deflate it.
 */
const DEFLATE = { level: 3, windowBits: 12, memLevel: 5, chunkSize: 4096 };
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
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(body, DEFLATE)]);
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

/**
 * Sorted by label set, then stack: small differences, and a body's rows meet the columns they are added to in order. Rows of one stack and label set are summed.
 *
 * One sort of plain numbers, stack and row in each, and then a walk that hands every row to its label set: a Map for each label set and an object for
 * each row were a quarter of what storing a block took.
 */
function sortedRows({ stackId, labelSetId, value, count }: BlockColumns, scale: number): LabelSetRows[] {
  const rowBase = 2 ** Math.ceil(Math.log2(stackId.length + 1)); // at most 2^20 rows and 2^30 stacks: exact
  const order = new Float64Array(stackId.length);
  const sizes = new Map<number, number>();
  for (let row = 0; row < stackId.length; row += 1) {
    order[row] = (stackId[row]! + 1) * rowBase + row;
    sizes.set(labelSetId[row]!, (sizes.get(labelSetId[row]!) ?? 0) + 1);
  }
  order.sort();
  const sums = new Map([...sizes].sort((a, b) => a[0] - b[0]).map(([id, size]) => [id, new SortedSums(id, size)]));
  for (const place of order) {
    const key = Math.floor(place / rowBase);
    const row = place - key * rowBase;
    sums.get(labelSetId[row]!)!.add(key, value[row]! * scale, count[row]!);
  }
  return [...sums.values()].map((one) => one.rows());
}

/** The rows of one label set, which come with ascending keys. */
class SortedSums {
  readonly #labelSetId: number;
  readonly #key: Float64Array;
  readonly #value: Float64Array;
  readonly #count: Float64Array;
  #length = 0;

  constructor(labelSetId: number, maxLength: number) {
    this.#labelSetId = labelSetId;
    this.#key = new Float64Array(maxLength);
    this.#value = new Float64Array(maxLength);
    this.#count = new Float64Array(maxLength);
  }

  add(key: number, value: number, count: number): void {
    if (this.#length === 0 || this.#key[this.#length - 1] !== key) this.#key[this.#length++] = key;
    const at = this.#length - 1;
    this.#value[at]! += value;
    this.#count[at]! += count; // far from 2^53: see assertStorable
  }

  rows(): LabelSetRows {
    const column = (of: Float64Array) => of.subarray(0, this.#length);
    return { labelSetId: this.#labelSetId, key: column(this.#key), value: column(this.#value), count: column(this.#count) };
  }
}
