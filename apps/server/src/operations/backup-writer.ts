import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { FORMAT_VERSION, FRAME, frameBytes, MAGIC, MAX_RAW_BYTES, type BackupHead } from './backup-format.js';

const deflate = promisify(deflateRaw);
/** Most of what is stored is deflated already, and the rest shrinks to a fifth at any level. */
const LEVEL = 1;
/** Bodies that are deflated while the next one fills: memory stays at about this many MiB. */
const MAX_DEFLATING = 4;

/** Where a backup goes. `write` resolves when more may come. */
export interface BackupSink {
  write(bytes: Buffer): Promise<void>;
}

/** Writes one backup: `head`, then for each table `rows` as often as need be and `table`, then `end`. */
export class BackupWriter {
  readonly #sink: BackupSink;
  readonly #hash = createHash('sha256');
  readonly #deflating: Promise<Buffer>[] = [];
  #filling = Buffer.allocUnsafe(MAX_RAW_BYTES);
  #filled = 0;
  #written = 0;

  constructor(sink: BackupSink) {
    this.#sink = sink;
  }

  /** Bytes that went into the sink. */
  get written(): number {
    return this.#written;
  }

  async head(head: BackupHead): Promise<void> {
    const preamble = Buffer.alloc(MAGIC.length + 4);
    MAGIC.copy(preamble);
    preamble.writeUInt32BE(FORMAT_VERSION, MAGIC.length);
    await this.#write(preamble);
    await this.#json(FRAME.head, head);
  }

  /** @param chunk - Of any length; copied. */
  async rows(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(this.#filling, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === MAX_RAW_BYTES) await this.#flushRows();
    }
  }

  async table(name: string, rows: number): Promise<void> {
    if (this.#filled > 0) await this.#flushRows();
    await this.#json(FRAME.table, { name, rows });
  }

  async end(): Promise<void> {
    await this.#drain(0);
    await this.#json(FRAME.end, { sha256: this.#hash.copy().digest('hex') });
    await this.#drain(0);
  }

  async #flushRows(): Promise<void> {
    const raw = this.#filling.subarray(0, this.#filled);
    this.#filling = Buffer.allocUnsafe(MAX_RAW_BYTES); // the old one belongs to the thread that deflates it
    this.#filled = 0;
    await this.#frame(FRAME.rows, raw);
  }

  async #json(kind: number, value: unknown): Promise<void> {
    const raw = Buffer.from(JSON.stringify(value));
    if (raw.length > MAX_RAW_BYTES) throw new Error(`a description of ${raw.length} bytes does not fit into one frame`);
    await this.#frame(kind, raw);
  }

  async #frame(kind: number, raw: Buffer): Promise<void> {
    const frame = deflate(raw, { level: LEVEL }).then((stored) => frameBytes(kind, raw.length, stored));
    frame.catch(() => undefined); // reported when its turn comes to be written
    this.#deflating.push(frame);
    await this.#drain(MAX_DEFLATING);
  }

  async #drain(untilLeft: number): Promise<void> {
    while (this.#deflating.length > untilLeft) await this.#write(await this.#deflating.shift()!);
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    this.#written += bytes.length;
    await this.#sink.write(bytes);
  }
}
