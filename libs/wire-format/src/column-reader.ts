import { TextCache, storableText } from '@hearth/profile-model';
import { WireError } from './errors.js';

const MAX_VARINT_BYTES = 8; // 56 bits hold 2^53

export interface ColumnLimits {
  /** Rows of one column. */
  readonly maxRows: number;
  /** Bytes of one text. */
  readonly maxTextBytes: number;
}

export const DEFAULT_COLUMN_LIMITS: ColumnLimits = { maxRows: 1_000_000, maxTextBytes: 16_384 };

/** Bytes that are no UTF-8 become U+FFFD: one bad name must not lose its batch. A byte order mark is a character like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Made by the first text that is read: agents only write. */
let knownTexts: TextCache | undefined;
const decodeText = (bytes: Uint8Array): string => storableText(decoder.decode(bytes));

/**
 * Reads what `ColumnWriter` wrote, or what a stranger made of it: every byte, count and value is checked before it is used, and nothing is
 * allocated for a count that the bytes left cannot hold. So memory is at most a small multiple of the bytes, and time is linear in them.
 */
export class ColumnReader {
  readonly source: Uint8Array;
  readonly #limits: ColumnLimits;
  #at = 0;

  constructor(source: Uint8Array, limits: ColumnLimits = DEFAULT_COLUMN_LIMITS) {
    this.source = source;
    this.#limits = limits;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at;
  }

  get bytesLeft(): number {
    return this.source.length - this.#at;
  }

  /** @returns 0 to 2^53 - 1. @throws {WireError} `WIRE_TRUNCATED`, `WIRE_VARINT` */
  varint(): number {
    // Most numbers are small, and this is small enough to become part of the loops that call it.
    const first = this.source[this.#at]!;
    if (first < 128) {
      this.#at += 1;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const [first, second] = [this.source[this.#at]!, this.source[this.#at + 1]!];
    if (first >= 128 && second < 128) {
      this.#at += 2;
      return (first & 127) + second * 128;
    }
    let value = 0;
    for (let count = 0, scale = 1; count < MAX_VARINT_BYTES; count += 1, scale *= 128) {
      if (this.#at === this.source.length) throw new WireError('WIRE_TRUNCATED', `ends at byte ${this.#at}, within a number`);
      const byte = this.source[this.#at++]!;
      value += (byte & 127) * scale; // not shifts: they have 32 bits
      if (byte >= 128) continue;
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new WireError('WIRE_VARINT', `number above 2^53 before byte ${this.#at}`);
  }

  /** @returns Within +-2^52. @throws {WireError} `WIRE_TRUNCATED`, `WIRE_VARINT` */
  signed(): number {
    const zigzag = this.varint();
    if (zigzag < 2 ** 31) return (zigzag >>> 1) ^ -(zigzag & 1);
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** @throws {WireError} `WIRE_TRUNCATED` */
  float64(): number {
    const bytes = this.raw(8);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
  }

  /** A view, not a copy. @throws {WireError} `WIRE_TRUNCATED` */
  raw(length: number): Uint8Array {
    this.#skip(length);
    return this.source.subarray(this.#at - length, this.#at);
  }

  /** A length and so many bytes; a view, not a copy. @throws {WireError} `WIRE_TRUNCATED`, `WIRE_VARINT` */
  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  /** Storable text (see `storableText`). @throws {WireError} `WIRE_STRING` if it is longer than `maxTextBytes`; `WIRE_TRUNCATED`, `WIRE_VARINT` */
  text(): string {
    const length = this.varint();
    if (length > this.#limits.maxTextBytes)
      throw new WireError('WIRE_STRING', `text of ${length} bytes, ${this.#limits.maxTextBytes} allowed`);
    const from = this.#at;
    this.#skip(length);
    knownTexts ??= new TextCache();
    return knownTexts.text(this.source, from, this.#at, decodeText);
  }

  /** How many rows follow, of which each takes at least `bytesPerRow` bytes. @throws {WireError} `WIRE_COUNT`, `WIRE_TRUNCATED`, `WIRE_VARINT` */
  count(bytesPerRow = 1): number {
    const count = this.varint();
    if (count > this.#limits.maxRows) throw new WireError('WIRE_COUNT', `${count} rows, ${this.#limits.maxRows} allowed`);
    // A count beyond the bytes left is a lie, found before anything is allocated.
    if (count * bytesPerRow > this.bytesLeft) throw new WireError('WIRE_COUNT', `${count} rows in ${this.bytesLeft} bytes`);
    return count;
  }

  /**
   * Each value 0 to 2^53 - 1. @param make - Here and below: gives the array for so many values, to be filled.
   * @throws {WireError} `WIRE_COUNT`, `WIRE_TRUNCATED`, `WIRE_VARINT`
   */
  column(make = newColumn): Float64Array {
    const values = make(this.count());
    for (let row = 0; row < values.length; row += 1) values[row] = this.varint();
    return values;
  }

  /** Each value within +-2^52. @throws {WireError} `WIRE_COUNT`, `WIRE_TRUNCATED`, `WIRE_VARINT` */
  signedColumn(make = newColumn): Float64Array {
    const values = make(this.count());
    for (let row = 0; row < values.length; row += 1) values[row] = this.signed();
    return values;
  }

  /** Each value within +-2^53. @throws {WireError} `WIRE_VALUE` if the sum of the distances leaves it; `WIRE_COUNT`, `WIRE_TRUNCATED`, `WIRE_VARINT` */
  deltaColumn(make = newColumn): Float64Array {
    const values = make(this.count());
    for (let row = 0, value = 0; row < values.length; row += 1) {
      value += this.signed();
      if (!Number.isSafeInteger(value)) throw new WireError('WIRE_VALUE', `row ${row} is above 2^53`);
      values[row] = value;
    }
    return values;
  }

  /**
   * As `column`, for rows of another table. @param rowCount - Of the table that the rows are in.
   * @throws {WireError} `WIRE_ROW` if one is not there; `WIRE_COUNT`, `WIRE_TRUNCATED`, `WIRE_VARINT`
   */
  rowColumn(rowCount: number): Uint32Array {
    const rows = new Uint32Array(this.count());
    for (let row = 0; row < rows.length; row += 1) rows[row] = checkedRow(this.varint(), rowCount);
    return rows;
  }

  /** As `deltaColumn`, for rows of another table. @param firstRow - The smallest allowed: 0, or -1 where none is a value. @throws {WireError} as `rowColumn` */
  deltaRowColumn(rowCount: number, firstRow: 0 | -1 = 0): Int32Array {
    const rows = new Int32Array(this.count());
    for (let row = 0, value = 0; row < rows.length; row += 1) {
      value += this.signed();
      rows[row] = checkedRow(value, rowCount, firstRow);
    }
    return rows;
  }

  #skip(length: number): void {
    if (length > this.bytesLeft)
      throw new WireError('WIRE_TRUNCATED', `${length} bytes wanted at byte ${this.#at}, ${this.bytesLeft} left`);
    this.#at += length;
  }

  /** One row of another table. @throws {WireError} `WIRE_ROW`, `WIRE_TRUNCATED`, `WIRE_VARINT` */
  row(rowCount: number): number {
    return checkedRow(this.varint(), rowCount);
  }
}

function newColumn(length: number): Float64Array {
  return new Float64Array(length);
}

function checkedRow(row: number, rowCount: number, firstRow = 0): number {
  if (row < firstRow || row >= rowCount) throw new WireError('WIRE_ROW', `row ${row} of a table of ${rowCount}`);
  return row;
}
