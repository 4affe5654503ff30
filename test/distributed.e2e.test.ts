import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { encodeBatch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allBuilt } from './support/all-built.js';
import { askBytes, askJson } from './support/ask.js';
import { madeBatch } from './support/made-batch.js';
import { startPgBouncer, whyNoPgBouncer, type TestPgBouncer } from './support/pgbouncer.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startRedisCluster, whyNoRedisCluster, type TestRedisCluster } from './support/redis-cluster.js';
import { startReplica, type TestReplica } from './support/replica.js';
import { isAcknowledged } from './support/send-batch.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const BATCHES = 120;
const missing = [whyNoPgBouncer(), whyNoRedisCluster()].filter((why) => why !== undefined);

describe.skipIf(missing.length > 0)(
  `Hearth grown: two api, two workers, a pooler, a replica, a Redis Cluster${missing.length === 0 ? '' : ` (skipped: ${missing.join('; ')})`}`,
  () => {
    let postgres: TestPostgres;
    let pooler: TestPgBouncer;
    let replica: TestReplica;
    let cluster: TestRedisCluster;
    const servers: TestServer[] = [];
    const start = (role: 'api' | 'worker') =>
      startTestServer({
        role,
        databaseUrl: pooler.pooled(postgres.url),
        redisUrl: cluster.url,
        env: { DATABASE_READ_URL: replica.url, DATABASE_READ_MAX_LAG_MS: '3000' },
      });
    beforeAll(async () => {
      postgres = await startTestPostgres();
      [pooler, replica, cluster] = await Promise.all([startPgBouncer(postgres, 10), startReplica(postgres), startRedisCluster()]);
      for (const role of ['api', 'worker'] as const) servers.push(...(await Promise.all([start(role), start(role)])));
    }, 240_000);
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await Promise.all([pooler?.stop(), cluster?.stop()]);
      await replica?.stop();
      await postgres?.stop();
    });

    it('stores every batch once and tells the same everywhere, whichever of them are killed meanwhile', async () => {
      const [first, second] = servers as [TestServer, TestServer];
      const processId = randomBytes(16).toString('hex');
      const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
      const sequences = Array.from({ length: BATCHES }, (_, index) => index + 1);
      const send = async () => {
        for (let sequence = sequences.shift(); sequence !== undefined; sequence = sequences.shift()) {
          const body = gzipSync(encodeBatch(madeBatch({ processId, sequence, startMs: startMs + (sequence % 4) * 60_000 })));
          // To both, as a client whose answer was lost.
          await Promise.all(
            [first, second].map(async (api) => {
              while (!(await isAcknowledged(api, body))) await sleep(50);
            }),
          );
          await sleep(100);
        }
      };
      const killing = async () => {
        await servers[3]!.kill(); // for good: the other does its work
        const master = await cluster.masterOf('{hearth.build-rollup}:build-rollup:wait');
        await cluster.kill(master);
        await replica.kill();
        await sleep(1_500);
        await cluster.startAgain(master);
        await replica.startAgain();
      };
      await Promise.all([send(), send(), send(), killing()]);

      const range = `service=made&from=${startMs}&until=${startMs + 240_000}`;
      const expected = BATCHES * 1_000 + (BATCHES * (BATCHES + 1)) / 2;
      const figure = async (api: TestServer, name: string) => {
        const text = new TextDecoder().decode(await askBytes(api, '/metrics'));
        return Number(
          text
            .split('\n')
            .find((line) => line.startsWith(`${name} `))
            ?.split(' ')
            .at(-1) ?? Number.NaN,
        );
      };
      await allBuilt(postgres.url, 90_000);
      for (const api of [first, second]) {
        const readFromReplica = () => figure(api, 'database_reads_total{database="replica"}');
        const before = (await readFromReplica()) || 0;
        await until(async () => {
          const { sum } = await askJson<{ sum: number }>(api, `/api/v1/functions?${range}`);
          expect(sum).toBeLessThanOrEqual(expected);
          return (sum === expected && (await readFromReplica()) > before) || undefined;
        });
        const { transactions } = await askJson<{ transactions: { count: number }[] }>(api, `/api/v1/transactions?${range}`);
        expect(transactions.reduce((total, { count }) => total + count, 0)).toBe(BATCHES);
        expect(await figure(api, 'database_replica_lag_seconds')).toBeLessThan(3);
      }
    }, 240_000);
  },
);
