import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import type { z } from 'zod';
import { HearthError } from '../platform/http/index.js';
import {
  backupEnd,
  backupHead,
  FORMAT_VERSION,
  FRAME,
  FRAME_HEAD_BYTES,
  MAGIC,
  MAX_RAW_BYTES,
  MAX_STORED_BYTES,
  PREAMBLE_BYTES,
  tableEnd,
  type BackupHead,
} from './backup-format.js';

const inflate = promisify(inflateRaw);

/** What a backup holds, in its order. */
export type BackupPart =
  | { readonly kind: 'head'; readonly head: BackupHead }
  /** A piece of the binary COPY of the table that `table` ends. `bytes()` inflates it: whoever only checks a file does not call it. */
  | { readonly kind: 'rows'; readonly bytes: () => Promise<Buffer> }
  | { readonly kind: 'table'; readonly name: string; readonly rows: number }
  | { readonly kind: 'end' };

/**
 * Reads a backup and checks it on the way; the last part is `end` or there was an error. Holds one frame at a time.
 *
 * @throws {HearthError} `BACKUP_FOREIGN`, `BACKUP_NEWER`, `BACKUP_TRUNCATED`, `BACKUP_DAMAGED`
 */
export async function* readBackup(source: AsyncIterable<Buffer>): AsyncGenerator<BackupPart, void, void> {
  const bytes = new ByteReader(source);
  const hash = createHash('sha256');
  const preamble = await bytes.upTo(PREAMBLE_BYTES);
  if (!preamble.subarray(0, MAGIC.length).equals(MAGIC))
    throw new HearthError('BACKUP_FOREIGN', 'this is no backup that hearth-server has written');
  if (preamble.length < PREAMBLE_BYTES) throw truncated(bytes.position);
  const format = preamble.readUInt32BE(MAGIC.length);
  if (format > FORMAT_VERSION)
    throw new HearthError(
      'BACKUP_NEWER',
      `a newer Hearth wrote this backup (format ${format}; this one reads ${FORMAT_VERSION})`,
    );
  hash.update(preamble);

  let tables: readonly string[] | undefined;
  for (let table = 0; ;) {
    const at = bytes.position;
    const frame = await readFrame(bytes);
    const name = tables?.[table];
    if (tables === undefined) {
      if (frame.kind !== FRAME.head) throw damaged(at, 'does not begin with its head');
      const head = await json(frame, backupHead, at);
      tables = head.tables.map((one) => one.name);
      yield { kind: 'head', head };
    } else if (frame.kind === FRAME.rows && name !== undefined) {
      yield { kind: 'rows', bytes: () => frameBody(frame, at) };
    } else if (frame.kind === FRAME.table && name !== undefined) {
      const end = await json(frame, tableEnd, at);
      if (end.name !== name) throw damaged(at, `ends ${end.name} where ${name} was expected`);
      table += 1;
      yield { kind: 'table', ...end };
    } else if (frame.kind === FRAME.end && name === undefined) {
      const { sha256 } = await json(frame, backupEnd, at);
      if (sha256 !== hash.digest('hex')) throw damaged(at, 'is not what was written: its SHA-256 differs');
      if ((await bytes.upTo(1)).length > 0) throw damaged(bytes.position, 'goes on behind its end');
      yield { kind: 'end' };
      return;
    } else throw damaged(at, `has a part of kind ${frame.kind} where none belongs`);
    hash.update(frame.head).update(frame.stored);
  }
}

interface Frame {
  readonly kind: number;
  readonly rawLength: number;
  readonly head: Buffer;
  readonly stored: Buffer;
}

async function readFrame(bytes: ByteReader): Promise<Frame> {
  const at = bytes.position;
  const head = await bytes.exactly(FRAME_HEAD_BYTES);
  const [storedLength, rawLength] = [head.readUInt32BE(1), head.readUInt32BE(5)];
  // A length is checked before its bytes are asked for: damage there must not read the file into memory.
  if (storedLength > MAX_STORED_BYTES || rawLength > MAX_RAW_BYTES) throw damaged(at, 'has a part that is too long');
  const stored = await bytes.exactly(storedLength);
  if (crc32(stored, crc32(head.subarray(0, 9))) !== head.readUInt32BE(9)) throw damaged(at, 'has a part whose checksum differs');
  return { kind: head.readUInt8(0), rawLength, head, stored };
}

async function frameBody({ stored, rawLength }: Frame, at: number): Promise<Buffer> {
  const raw = await inflate(stored, { maxOutputLength: Math.max(rawLength, 1) }).catch((error: unknown) => {
    throw damaged(at, 'has a part that cannot be inflated', error);
  });
  if (raw.length !== rawLength) throw damaged(at, 'has a part that is shorter than it says');
  return raw;
}

async function json<T>(frame: Frame, schema: z.ZodType<T>, at: number): Promise<T> {
  const text = (await frameBody(frame, at)).toString('utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(at, 'has a description that is not one', error);
  }
}

function truncated(at: number): HearthError {
  return new HearthError('BACKUP_TRUNCATED', `the backup ends at byte ${at}, before its end was written`);
}

function damaged(at: number, what: string, cause?: unknown): HearthError {
  return new HearthError('BACKUP_DAMAGED', `the backup ${what}, at byte ${at}`, { cause });
}

/** A stream of chunks, read in lengths. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #left: Buffer[] = [];
  #leftBytes = 0;
  /** Bytes handed out. */
  position = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** @throws {HearthError} `BACKUP_TRUNCATED` */
  async exactly(length: number): Promise<Buffer> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw truncated(this.position);
    return bytes;
  }

  /** Shorter only at the end. */
  async upTo(length: number): Promise<Buffer> {
    while (this.#leftBytes < length) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#left.push(next.value);
      this.#leftBytes += next.value.length;
    }
    const all = this.#left.length === 1 ? this.#left[0]! : Buffer.concat(this.#left);
    const bytes = all.subarray(0, length);
    this.#left = [all.subarray(bytes.length)];
    this.#leftBytes = all.length - bytes.length;
    this.position += bytes.length;
    return bytes;
  }
}
