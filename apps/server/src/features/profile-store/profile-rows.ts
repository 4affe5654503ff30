import { ColumnReader, ColumnWriter } from '@hearth/wire-format';

/** A sample without frames has no stack. */
export const NO_STACK = -1;

/** Of our own columns: the bytes that are left bound a count already. */
export const STORED_LIMITS = { maxRows: 2 ** 27, maxTextBytes: 0 };
/** Values below it, and distances between them, fit a column. */
const MAX_COLUMN_VALUE = 2 ** 51;

/**
 * The samples of one label set as columns of one length, stacks ascending and each once.
 *
 * `key` is a number that names the stack without being negative: its id + 1 (0: no stack), or its row in the list of
 * stacks of a segment.
 */
export interface LabelSetRows {
  readonly labelSetId: number;
  readonly key: Float64Array;
  readonly value: Float64Array;
  /** Raw samples behind `value`. */
  readonly count: Float64Array;
}

/**
 * Writes the body of a block, or of one flush in a segment.
 *
 *     divisor     varint                       what divides every value, as an agent's steps; more where values pass 2^51, which then lose their last digits
 *     unit        varint                       value of one raw sample, rounded
 *     label sets  n | n deltas                 ids, ascending
 *     keys        a delta column per label set
 *     residues    a signed column per label set  value / divisor - count x unit: near 0 for time
 *     counts      a column per label set        mostly ones, which deflate away
 */
export function writeRows(writer: ColumnWriter, rows: readonly LabelSetRows[]): void {
  const divisor = divisorOf(rows);
  const unit = unitOf(rows, divisor);
  writer.varint(divisor);
  writer.varint(unit);
  writer.deltaColumn(rows.map((one) => one.labelSetId));
  for (const one of rows) writer.deltaColumn(one.key);
  for (const one of rows) writer.signedColumn(residuesOf(one, divisor, unit));
  for (const one of rows) writer.column(one.count);
}

/**
 * @param keyCount Keys must be below it.
 * @throws {WireError} or an `Error` that says what is wrong; the caller gives it the code of its format
 */
export function readRows(reader: ColumnReader, keyCount: number): LabelSetRows[] {
  const divisor = reader.varint();
  const unit = reader.varint();
  const labelSetIds = reader.deltaColumn();
  const keys = Array.from(labelSetIds, () => reader.deltaColumn(partOfChunk));
  const values = keys.map((column) => sameLength(reader.signedColumn(partOfChunk), column.length));
  const counts = keys.map((column) => sameLength(reader.column(partOfChunk), column.length));
  return Array.from(labelSetIds, (labelSetId, at) => {
    const [key, value, count] = [keys[at]!, values[at]!, counts[at]!];
    for (let row = 0; row < key.length; row += 1) {
      if (!(key[row]! >= 0 && key[row]! < keyCount)) throw new Error(`stack ${key[row]} of ${keyCount}`);
      value[row] = (value[row]! + count[row]! * unit) * divisor;
      if (!(count[row]! >= 0 && value[row]! >= 0)) throw new Error(`value ${value[row]}, count ${count[row]}`);
    }
    return { labelSetId, key, value, count };
  });
}

const CHUNK_VALUES = 4_096;
let chunk = new Float64Array(CHUNK_VALUES);
let chunkUsed = 0;

/** A new column. A question reads tens of thousands of a few values each, and to make an array of its own takes longer than to fill one. */
function partOfChunk(length: number): Float64Array {
  if (length > CHUNK_VALUES / 4) return new Float64Array(length);
  if (chunkUsed + length > CHUNK_VALUES) {
    chunk = new Float64Array(CHUNK_VALUES);
    chunkUsed = 0;
  }
  chunkUsed += length;
  return chunk.subarray(chunkUsed - length, chunkUsed);
}

function residuesOf({ value, count }: LabelSetRows, divisor: number, unit: number): Float64Array {
  const residues = new Float64Array(value.length);
  for (let row = 0; row < value.length; row += 1) residues[row] = Math.round(value[row]! / divisor) - count[row]! * unit;
  return residues;
}

/** Levels of a large fleet, times their period, may pass what a column holds; their shown averages do not feel it. */
function divisorOf(rows: readonly LabelSetRows[]): number {
  let largest = 0;
  let common = 0;
  for (const { value } of rows)
    for (let row = 0; row < value.length; row += 1) {
      largest = Math.max(largest, value[row]!);
      common = commonDivisor(common, value[row]!);
    }
  let divisor = Math.max(1, common);
  while (largest / divisor >= MAX_COLUMN_VALUE) divisor *= 2;
  return divisor;
}

/** Of whole numbers (Euclid); 0 divides as 0 does: it leaves the other. */
function commonDivisor(a: number, b: number): number {
  if (a === 1 || !Number.isInteger(b)) return 1;
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

function unitOf(rows: readonly LabelSetRows[], divisor: number): number {
  let value = 0;
  let count = 0;
  for (const one of rows) {
    for (let row = 0; row < one.value.length; row += 1) {
      value += one.value[row]!;
      count += one.count[row]!;
    }
  }
  // Levels are far from regular, and count x unit could lose digits: they keep their plain values.
  const unit = count === 0 ? 0 : Math.round(value / divisor / count);
  return unit * count < MAX_COLUMN_VALUE ? unit : 0;
}

function sameLength(column: Float64Array, length: number): Float64Array {
  if (column.length !== length) throw new Error(`a column of ${column.length} rows beside one of ${length}`);
  return column;
}

/** Sums what belongs to one label set and stack. */
export class RowSums {
  readonly #byLabelSet = new Map<number, Map<number, { value: number; count: number }>>();

  add(labelSetId: number, key: number, value: number, count: number): void {
    let ofLabelSet = this.#byLabelSet.get(labelSetId);
    if (ofLabelSet === undefined) this.#byLabelSet.set(labelSetId, (ofLabelSet = new Map()));
    const sum = ofLabelSet.get(key);
    if (sum === undefined) ofLabelSet.set(key, { value, count });
    else {
      sum.value += value;
      // A count is shown, and no more: at its end it stays, because a window that cannot be written could never be built.
      sum.count = Math.min(Number.MAX_SAFE_INTEGER, sum.count + count);
    }
  }

  addRows(rows: readonly LabelSetRows[]): void {
    for (const { labelSetId, key, value, count } of rows)
      for (let row = 0; row < key.length; row += 1) this.add(labelSetId, key[row]!, value[row]!, count[row]!);
  }

  /** Label sets ascending, keys ascending. */
  rows(): LabelSetRows[] {
    return [...this.#byLabelSet]
      .sort((a, b) => a[0] - b[0])
      .map(([labelSetId, sums]) => {
        const sorted = [...sums].sort((a, b) => a[0] - b[0]);
        return {
          labelSetId,
          key: Float64Array.from(sorted, ([key]) => key),
          value: Float64Array.from(sorted, ([, sum]) => sum.value),
          count: Float64Array.from(sorted, ([, sum]) => sum.count),
        };
      });
  }
}
