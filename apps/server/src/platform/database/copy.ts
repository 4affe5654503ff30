/**
 * COPY in Postgres' binary format (documentation of COPY, "Binary Format"): rows with their fields as stored bytes.
 * `pg` has no binary results of its own that keep bytea whole, and rows as text cost several times more.
 */
import type { ClientBase, Submittable } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { HearthError } from '../http/hearth-error.js';

/** Signature, flags, length of the header's extension. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TWO_TO_32 = 2 ** 32;

/** Builds the body of a `COPY ... FROM STDIN (FORMAT binary)`: `row`, then its fields in the order of the columns. */
export class CopyWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #at = HEADER.copy(this.#bytes);

  row(fields: number): void {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(fields, this.#at);
  }
  int2(value: number): void {
    this.#field(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }
  int4(value: number): void {
    this.#field(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }
  int8(value: number): void {
    this.#field(8);
    const high = Math.floor(value / TWO_TO_32);
    this.#at = this.#bytes.writeInt32BE(high, this.#at);
    this.#at = this.#bytes.writeUInt32BE(value - high * TWO_TO_32, this.#at);
  }
  bytes(value: Uint8Array): void {
    this.#field(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }
  finish(): Buffer {
    this.#reserve(2);
    this.#at = this.#bytes.writeInt16BE(-1, this.#at); // ends the stream
    return this.#bytes.subarray(0, this.#at);
  }

  #field(length: number): void {
    this.#reserve(4 + length);
    this.#at = this.#bytes.writeInt32BE(length, this.#at);
  }
  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Reads what `copyOut` gave: `while (reader.nextRow())`, then the row's fields in the order of the columns. */
export class CopyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = HEADER.length;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  nextRow(): boolean {
    const fields = this.#view.getInt16(this.#at);
    this.#at += 2;
    return fields !== -1;
  }
  int2(): number {
    this.#expect(2);
    this.#at += 2;
    return this.#view.getInt16(this.#at - 2);
  }
  int4(): number {
    this.#expect(4);
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4);
  }
  int8(): number {
    this.#expect(8);
    this.#at += 8;
    return this.#view.getInt32(this.#at - 8) * TWO_TO_32 + this.#view.getUint32(this.#at - 4);
  }
  /** `null` is NULL. Shares memory with the whole answer. */
  bytes(): Uint8Array | null {
    const length = this.#view.getInt32(this.#at);
    const start = this.#at + 4;
    this.#at = start + Math.max(length, 0);
    return length < 0 ? null : this.#bytes.subarray(start, this.#at);
  }

  #expect(length: number): void {
    const found = this.#view.getInt32(this.#at);
    if (found !== length) throw new Error(`COPY: a field of ${found} bytes where ${length} were expected, at byte ${this.#at}`);
    this.#at += 4;
  }
}

/** Of a client of `pg`, what takes a stream. */
export interface StreamingClient {
  query<Stream extends Submittable>(stream: Stream): Stream;
}

/**
 * Loads rows on the connection of the caller's database transaction.
 *
 * @param target Table and columns, as `block (service_id, data)`.
 * @param rows What `CopyWriter.finish` gave.
 */
export async function copyIn(client: StreamingClient, target: string, rows: Uint8Array): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`));
  await new Promise<void>((resolve, reject) => {
    // Not `once`: what was still being written when Postgres refused it fails too, and an error without a listener ends the process.
    stream.on('error', reject).once('finish', resolve);
    stream.end(rows);
  });
}

export interface CopyOutLimits {
  readonly maxBytes?: number;
}

/**
 * Reads rows for a `CopyReader`. The bytes own their memory and can be transferred to another thread.
 *
 * @param query COPY takes no parameters: put only checked numbers into it.
 * @throws {HearthError} `SELECTION_TOO_LARGE`
 */
export async function copyOut(
  client: ClientBase,
  query: string,
  { maxBytes = Infinity }: CopyOutLimits = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`));
  const chunks: Buffer[] = [];
  let length = 0;
  // Read to the end even when there is too much: the connection could not be used for anything else before.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (length > maxBytes) {
    throw new HearthError(
      'SELECTION_TOO_LARGE',
      `the selection holds ${length} bytes, one answer may read ${maxBytes}: ask for a shorter range or fewer processes`,
      { status: 422 },
    );
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
