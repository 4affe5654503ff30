import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMAT_VERSION, MAGIC, MAX_RAW_BYTES, type BackupHead } from './backup-format.js';
import { readBackup } from './backup-reader.js';
import { BackupWriter } from './backup-writer.js';

const HEAD: BackupHead = {
  hearthVersion: '1.2.3',
  createdMs: 1_763_600_000_000,
  migrations: ['First1763600000000'],
  tables: [
    { name: 'project', columns: [{ name: 'id', type: 'bigint' }], partitions: [] },
    { name: 'block', columns: [], partitions: [{ name: 'block_h1', bound: "FOR VALUES FROM ('0') TO ('3600000')" }] },
  ],
  sequences: [{ name: 'project_id_seq', last: 7 }],
};

async function written(tables: readonly Buffer[][], head = HEAD): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new BackupWriter({ write: async (bytes) => void chunks.push(bytes) });
  await writer.head(head);
  for (const [row, pieces] of tables.entries()) {
    for (const piece of pieces) await writer.rows(piece);
    await writer.table(head.tables[row]!.name, pieces.length);
  }
  await writer.end();
  expect(writer.written).toBe(Buffer.concat(chunks).length);
  return Buffer.concat(chunks);
}

/** As a stream in pieces of `pieceBytes`. */
async function* inPieces(file: Buffer, pieceBytes = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += pieceBytes) yield file.subarray(at, at + pieceBytes);
}

/** Head, then for each table its bytes and its count. */
async function readAll(source: AsyncIterable<Buffer>) {
  const tables: { name: string; rows: number; bytes: Buffer }[] = [];
  let head: BackupHead | undefined;
  let pieces: Buffer[] = [];
  let last = '';
  for await (const part of readBackup(source)) {
    last = part.kind;
    if (part.kind === 'head') head = part.head;
    if (part.kind === 'rows') pieces.push(await part.bytes());
    if (part.kind === 'table') {
      tables.push({ name: part.name, rows: part.rows, bytes: Buffer.concat(pieces) });
      pieces = [];
    }
  }
  expect(last).toBe('end');
  return { head, tables };
}

/** The code with which a file is refused. */
async function refusal(file: Buffer, pieceBytes?: number): Promise<unknown> {
  return readAll(inPieces(file, pieceBytes)).then(
    () => 'read',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

const SMALL = await written([[Buffer.from('one'), Buffer.from('two')], [Buffer.from('x'.repeat(500))]]);

describe('a backup', () => {
  it('gives back what was written, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 5 }),
        fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 5_000 }),
        async (first, second, pieceBytes) => {
          const tables = [first, second].map((pieces) => pieces.map((piece) => Buffer.from(piece)));
          const read = await readAll(inPieces(await written(tables), pieceBytes));
          expect(read.head).toEqual(HEAD);
          expect(read.tables).toEqual([
            { name: 'project', rows: first.length, bytes: Buffer.concat(tables[0]!) },
            { name: 'block', rows: second.length, bytes: Buffer.concat(tables[1]!) },
          ]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('cuts rows that are longer than a frame, and those that fill one exactly', async () => {
    for (const length of [MAX_RAW_BYTES - 1, MAX_RAW_BYTES, MAX_RAW_BYTES + 1, 3 * MAX_RAW_BYTES + 17]) {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 1) bytes[at] = (at * 7919) >> 5;
      expect((await readAll(inPieces(await written([[bytes], []]), 1 << 16))).tables[0]!.bytes.equals(bytes)).toBe(true);
    }
  });

  it('is refused with a code wherever one bit has changed', async () => {
    for (let at = 0; at < SMALL.length; at += 1) {
      const changed = Buffer.from(SMALL);
      changed[at]! ^= 1 << (at % 8);
      const expected =
        at < MAGIC.length ? 'BACKUP_FOREIGN' : at < MAGIC.length + 4 ? /BACKUP_(NEWER|DAMAGED)/ : /BACKUP_(DAMAGED|TRUNCATED)/;
      expect(String(await refusal(changed)), `byte ${at}`).toMatch(expected);
    }
  });

  it('is refused with a code wherever it ends early, and when it goes on behind its end', async () => {
    for (let length = 0; length < SMALL.length; length += 1) {
      expect(await refusal(SMALL.subarray(0, length)), `${length} bytes`).toBe(
        length < MAGIC.length ? 'BACKUP_FOREIGN' : 'BACKUP_TRUNCATED',
      );
    }
    expect(await refusal(Buffer.concat([SMALL, Buffer.from([0])]))).toBe('BACKUP_DAMAGED');
  });

  it('is refused when a whole part is missing or comes twice', async () => {
    const frames: Buffer[] = [];
    for (let at = MAGIC.length + 4; at < SMALL.length;) {
      const length = 13 + SMALL.readUInt32BE(at + 1);
      frames.push(SMALL.subarray(at, at + length));
      at += length;
    }
    const preamble = SMALL.subarray(0, MAGIC.length + 4);
    for (const [at, frame] of frames.slice(0, -1).entries()) {
      expect(await refusal(Buffer.concat([preamble, ...frames.toSpliced(at, 1)])), `without ${at}`).toBe('BACKUP_DAMAGED');
      expect(await refusal(Buffer.concat([preamble, ...frames.toSpliced(at, 0, frame)])), `${at} twice`).toBe('BACKUP_DAMAGED');
    }
  });

  it('says of another file that it is foreign, and of a later format that it is newer', async () => {
    expect(await refusal(Buffer.from('PGDMP'.repeat(100)))).toBe('BACKUP_FOREIGN');
    expect(await refusal(Buffer.alloc(0))).toBe('BACKUP_FOREIGN');
    const later = Buffer.from(SMALL);
    later.writeUInt32BE(FORMAT_VERSION + 1, MAGIC.length);
    expect(await refusal(later)).toBe('BACKUP_NEWER');
  });

  it.each([
    ['a table', { ...HEAD, tables: [{ name: 'x"; DROP TABLE y', columns: [], partitions: [] }] }],
    [
      'a bound',
      { ...HEAD, tables: [{ name: 'block', columns: [], partitions: [{ name: 'b', bound: 'DEFAULT; DROP TABLE y' }] }] },
    ],
    ['a sequence', { ...HEAD, sequences: [{ name: "x'", last: 1 }] }],
  ])('is refused when the name of %s is SQL', async (_, head) => {
    expect(await refusal(await written([[], []].slice(0, head.tables.length), head))).toBe('BACKUP_DAMAGED');
  });
});
