import { crc32 } from 'node:zlib';
import { z } from 'zod';

/**
 * A backup: one file that holds what every table of Hearth held at one moment, in the order in which it can be loaded.
 *
 *     HEARTH BACKUP\n | format u32                                 12 and up: big-endian throughout
 *     frame: kind u8 | stored u32 | raw u32 | crc u32 | body       body is raw deflate of `raw` bytes; the crc is of all before it, and of it
 *     ─────────────────────────────────────────────────────────
 *     head                 JSON: version, migrations, tables with columns and partitions, sequences
 *     rows, rows, ...      of the first table: one `COPY ... TO STDOUT (FORMAT binary)`, cut anywhere
 *     table                JSON: its rows, counted
 *     rows, ..., table     of the next
 *     end                  JSON: SHA-256 of every byte before this frame
 *
 * Every frame can be checked before it is inflated, and a file without its `end` is known to be cut off. `migration` is not
 * among the tables: the schema is made by the migrations that the head names.
 */
export const MAGIC = Buffer.from('HEARTH BACKUP\n', 'latin1');
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = MAGIC.length + 4;
export const FRAME_HEAD_BYTES = 13;
/** Of a body before it is deflated. */
export const MAX_RAW_BYTES = 1 << 20;
/** Deflate adds a few bytes to what it cannot make smaller. */
export const MAX_STORED_BYTES = MAX_RAW_BYTES + (1 << 12);

export const FRAME = { head: 1, rows: 2, table: 3, end: 4 } as const;

/** Names that stand in SQL. Ours are all like this; tables of somebody else with other names cannot be backed up. */
const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
/** What `pg_get_expr` gives of a bound: words, numbers, quoted texts without quotes in them. */
const bound = z
  .string()
  .max(500)
  .regex(/^(DEFAULT|FOR VALUES (FROM \([^;()]*\) TO \([^;()]*\)|IN \([^;()]*\)|WITH \(modulus \d+, remainder \d+\)))$/);
/** As `fillfactor=80`. */
const storageParameter = z.string().regex(/^[a-z_.]{1,63}=[\w.]{1,63}$/);
const count = z.number().int().min(0);

export const backupHead = z.object({
  /** Of the server that wrote it. */
  hearthVersion: z.string().max(100),
  createdMs: count,
  /** Names, oldest first; the last one is the version of the schema. */
  migrations: z.array(z.string().max(200)).min(1).max(10_000),
  tables: z
    .array(
      z.object({
        name,
        columns: z.array(z.object({ name, type: z.string().max(200) })).max(2_000),
        partitions: z.array(z.object({ name, bound, storage: z.array(storageParameter).max(100).optional() })).max(1_000_000),
      }),
    )
    .max(10_000),
  /** Numbers given out last, also by rows that are gone: no id is given twice. */
  sequences: z.array(z.object({ name, last: z.number().int() })).max(10_000),
});
export type BackupHead = z.infer<typeof backupHead>;
export type TableHead = BackupHead['tables'][number];

export const tableEnd = z.object({ name, rows: count });
export const backupEnd = z.object({ sha256: z.string() });

/** Head and body of one frame. `stored` is `raw` bytes deflated. */
export function frameBytes(kind: number, raw: number, stored: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + stored.length);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(stored.length, 1);
  bytes.writeUInt32BE(raw, 5);
  bytes.writeUInt32BE(crc32(stored, crc32(bytes.subarray(0, 9))), 9);
  bytes.set(stored, FRAME_HEAD_BYTES);
  return bytes;
}
