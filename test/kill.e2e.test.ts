import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { encodeBatch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { madeBatch } from './support/made-batch.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { isAcknowledged } from './support/send-batch.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const BATCHES = 100;

describe('acknowledged batches', () => {
  let postgres: TestPostgres;
  let server: TestServer;
  const start = () => startTestServer({ databaseUrl: postgres.url });

  beforeAll(async () => {
    postgres = await startTestPostgres({ durable: true });
    server = await start();
  });
  afterAll(async () => {
    await server?.stop();
    await postgres?.stop();
  });

  it('are each stored once, whenever the server and Postgres are killed', async () => {
    const processId = randomBytes(16).toString('hex');
    const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
    let acknowledged = 0;
    let kills = 0;
    const killer = (async () => {
      while (acknowledged < BATCHES) {
        await sleep(300 + Math.random() * 900);
        kills += 1;
        if (kills % 2 === 0) process.kill(postgres.pid(), 'SIGKILL');
        else {
          await server.kill();
          server = await start();
        }
      }
    })();
    // Four at a time, each sent until it is acknowledged: what an agent does, without its patience.
    const sequences = Array.from({ length: BATCHES }, (_, index) => index + 1);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let sequence = sequences.shift(); sequence !== undefined; sequence = sequences.shift()) {
          const body = gzipSync(encodeBatch(madeBatch({ processId, sequence, startMs })));
          while (!(await isAcknowledged(server, body))) await sleep(50);
          acknowledged += 1;
          await sleep(60); // spreads the batches over several kills
        }
      }),
    );
    await killer;
    expect(kills).toBeGreaterThan(2);

    const range = `service=made&from=${startMs}&until=${startMs + 60_000}`;
    // The last kill may have been a moment ago.
    const { functions, sum } = await until(() =>
      askJson<{ functions: { name: string; self: number }[]; sum: number }>(server, `/api/v1/functions?${range}`),
    );
    const selfOf = new Map(functions.map(({ name, self }) => [name, self]));
    const wrong = Array.from({ length: BATCHES }, (_, index) => index + 1).filter(
      (sequence) => selfOf.get(`batch ${sequence}`) !== 1_000 + sequence,
    );
    expect(wrong).toEqual([]);
    expect(sum).toBe(BATCHES * 1_000 + (BATCHES * (BATCHES + 1)) / 2);
    const { transactions } = await askJson<{ transactions: { count: number }[] }>(server, `/api/v1/transactions?${range}`);
    expect(transactions.reduce((total, { count }) => total + count, 0)).toBe(BATCHES);
  }, 240_000);
});
