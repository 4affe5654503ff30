import { WireError } from './errors.js';

/** Bound of signed numbers: zigzag doubles them, and they must stay exact. */
export const MAX_SIGNED = 2 ** 52;

const encoder = new TextEncoder();

/**
 * Writes numbers, texts and columns of them, one behind the other. `ColumnReader` reads them in the same order.
 *
 * A varint has seven bits in each byte, lowest first; the bit 128 says that more follow. Signed numbers are zigzag: 0, -1, 1, -2, … are written as
 * 0, 1, 2, 3, …, so that small changes take one byte, whatever their sign. Every column begins with its length.
 */
export class ColumnWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** @param value - Whole, 0 to 2^53 - 1. @throws {WireError} `WIRE_VALUE` */
  varint(value: number): void {
    this.#reserve(8);
    if (value >= 0 && value < 128 && Math.floor(value) === value) {
      this.#bytes[this.#length++] = value; // most are
      return;
    }
    if (!Number.isSafeInteger(value) || value < 0)
      throw new WireError('WIRE_VALUE', `${value} is not a whole number from 0 to 2^53`);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128; // not shifts: they have 32 bits
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** @param value - Whole, within +-2^52. @throws {WireError} `WIRE_VALUE` */
  signed(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) >= MAX_SIGNED)
      throw new WireError('WIRE_VALUE', `${value} is not a whole number within +-2^52`);
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Eight bytes, little-endian, IEEE 754. */
  float64(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Length in bytes, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** The bytes alone: the reader must know how many. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** As `bytes`, in UTF-8; half a surrogate pair becomes U+FFFD. */
  text(value: string): void {
    this.bytes(encoder.encode(value));
  }

  texts(values: readonly string[]): void {
    this.varint(values.length);
    for (const value of values) this.text(value);
  }

  /** Each value whole, 0 to 2^53 - 1. @throws {WireError} `WIRE_VALUE` */
  column(values: ArrayLike<number>): void {
    this.varint(values.length);
    for (let row = 0; row < values.length; row += 1) this.varint(values[row]!);
  }

  /** Each value whole, within +-2^52. @throws {WireError} `WIRE_VALUE` */
  signedColumn(values: ArrayLike<number>): void {
    this.varint(values.length);
    for (let row = 0; row < values.length; row += 1) this.signed(values[row]!);
  }

  /** Each value whole; what is written is the distance from the one before (the first: from 0), within +-2^52. @throws {WireError} `WIRE_VALUE` */
  deltaColumn(values: ArrayLike<number>): void {
    this.varint(values.length);
    let previous = 0;
    for (let row = 0; row < values.length; row += 1) {
      const value = values[row]!;
      this.signed(value - previous);
      previous = value;
    }
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
