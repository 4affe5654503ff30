import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BATCH_CONTENT_TYPE, encodeBatch } from '@hearth/wire-format';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';
import { connectDataSource } from '../../platform/database/index.js';

const FLOOD_MS = 15_000;
/** As resident memory of ingest may be. */
const MAX_RESIDENT_BYTES = 400e6;
const MAX_QUEUED_BYTES = 16 * 2 ** 20;
const SENDERS = 200;
/** Makes a batch of tens of kilobytes once it is read. */
const FUNCTIONS = 300;

let postgres: TestPostgres;
let server: TestServer;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({ role: 'api', databaseUrl: postgres.url, env: { MAX_QUEUED_BYTES: String(MAX_QUEUED_BYTES) } });
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await server?.stop();
  await postgres?.stop();
});

function bodyOf(process: number, sequence: number): Uint8Array<ArrayBuffer> {
  const made = madeBatch({ processId: String(process).padStart(32, '0'), sequence, startMs: Date.now() - 20_000 });
  const rows = Array.from({ length: FUNCTIONS }, (_, row) => row);
  return Uint8Array.from(
    gzipSync(
      encodeBatch({
        ...made,
        functions: {
          length: FUNCTIONS,
          name: rows.map((row) => `work ${row}`),
          scriptName: rows.map((row) => `/srv/made/src/module-${row}.js`),
          line: new Uint32Array(FUNCTIONS),
        },
        stacks: { length: FUNCTIONS, parent: Int32Array.from(rows, (row) => row - 1), functionRow: Uint32Array.from(rows) },
        labelSets: [[]],
      }),
    ),
  );
}

it(
  'keeps its memory through a flood with a slow database, and everything that it acknowledged',
  { timeout: FLOOD_MS + 120_000 },
  async () => {
    let isOver = false;
    const acknowledged = new Map<string, number>();
    const answers = new Map<number, number>();
    let mostResidentBytes = 0;
    let broken = 0;

    // The database hangs in a lock most of the time.
    const slowDown = async () => {
      while (!isOver) {
        const runner = database.createQueryRunner();
        await runner.startTransaction();
        await runner.query('LOCK TABLE batch_receipt IN SHARE ROW EXCLUSIVE MODE');
        await sleep(3_000);
        await runner.commitTransaction();
        await runner.release();
        await sleep(500);
      }
    };
    const watch = async () => {
      while (!isOver) {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        mostResidentBytes = Math.max(mostResidentBytes, Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]));
        await sleep(500);
      }
    };
    const sendAll = async (process: number) => {
      for (let sequence = 1; !isOver; sequence += 1) {
        const answer = await fetch(`${server.url}/api/v1/batches`, {
          method: 'POST',
          headers: { authorization: `Bearer ${server.key}`, 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' },
          body: bodyOf(process, sequence),
        }).catch((error: unknown) => {
          // A machine so busy that a connection dies is a sender's to bear; what has no answer is not acknowledged.
          broken += 1;
          if (broken > SENDERS) throw error;
        });
        if (answer === undefined) continue;
        answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
        const { accepted } = (await answer.json()) as { accepted?: number };
        if (answer.status === 202 && accepted === 1) acknowledged.set(`${process}.${sequence}`, 1);
        else if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    };
    const working = [slowDown(), watch(), ...Array.from({ length: SENDERS }, (_, process) => sendAll(process))];
    await sleep(FLOOD_MS);
    isOver = true;
    await Promise.all(working);

    expect(new Set(answers.keys())).toEqual(new Set([202, 429]));
    expect(mostResidentBytes).toBeLessThan(MAX_RESIDENT_BYTES);
    const stored = (await database.query(
      `SELECT process.key, generate_series(lower(one), upper(one) - 1) AS sequence FROM batch_receipt
       JOIN process ON process.service_id = batch_receipt.service_id AND process.id = process_id, unnest(sequences) AS one`,
    )) as { key: string; sequence: number }[];
    const storedBatches = new Set(stored.map(({ key, sequence }) => `${Number(key)}.${sequence}`));
    expect([...acknowledged.keys()].filter((batch) => !storedBatches.has(batch))).toEqual([]);
    const blocks = (await database.query('SELECT count(*) AS n FROM block')) as { n: number }[];
    expect(blocks[0]!.n).toBe(storedBatches.size);
    console.log(
      `acknowledged ${acknowledged.size}, answers ${JSON.stringify([...answers])}, broken ${broken}, resident at most ${Math.round(mostResidentBytes / 1e6)} MB`,
    );
  },
);
