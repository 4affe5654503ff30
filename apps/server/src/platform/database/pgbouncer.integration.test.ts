import type { FlameGraphAnswer } from '@hearth/query-contract';
import { profileFromText } from '@hearth/profile-model/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCover } from '../../../../../test/support/check-cover.js';
import { startPgBouncer, whyNoPgBouncer, type TestPgBouncer } from '../../../../../test/support/pgbouncer.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { END, randomFlushes, randomNumbers, SERVICE, START } from '../../../../../test/support/raw-flushes.js';
import { buildAll, startRollupServer, storeFlush } from '../../../../../test/support/rollup-server.js';
import { until } from '../../../../../test/support/until.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { Queues } from '../queue/index.js';
import { connectDataSource } from './data-source.js';
import { runMigrations } from './run-migrations.js';

/** Fewer than there are clients in every test, so that clients do change their server connection from one database transaction to the next. */
const SERVER_CONNECTIONS = 3;

const noPgBouncer = whyNoPgBouncer();

describe.skipIf(noPgBouncer !== undefined)(
  `Hearth behind PgBouncer in transaction mode${noPgBouncer === undefined ? '' : ` (skipped: ${noPgBouncer})`}`,
  () => {
    let postgres: TestPostgres;
    let pooler: TestPgBouncer;
    beforeAll(async () => {
      postgres = await startTestPostgres();
      pooler = await startPgBouncer(postgres, SERVER_CONNECTIONS);
    });
    afterAll(async () => {
      await pooler?.stop();
      await postgres?.stop();
    });

    it('lets twenty servers start at once, migrates once, and leaves no lock behind', async () => {
      const url = await postgres.createDatabase();
      const ran = await Promise.all(Array.from({ length: 20 }, () => runMigrations(pooler.pooled(url), MIGRATIONS)));
      expect(ran.flat().sort()).toEqual(MIGRATIONS.map((migration) => migration.name).sort());
      const direct = await connectDataSource({ url });
      try {
        expect(await direct.query(`SELECT * FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
      } finally {
        await direct.destroy();
      }
    });

    it('stores by COPY, builds and reads exactly, with more clients than connections', async () => {
      const url = pooler.pooled(await postgres.createDatabase());
      await runMigrations(url, MIGRATIONS);
      const servers = await Promise.all([1, 2, 3].map(() => startRollupServer(url)));
      try {
        const random = randomNumbers(21);
        const flushes = randomFlushes(random);
        await Promise.all(flushes.map((flush, at) => storeFlush(servers[at % 3]!, flush)));
        await Promise.all(servers.map((server) => checkCover(server, flushes, random)));
        await Promise.all(servers.map(buildAll));
        await Promise.all(servers.map((server) => checkCover(server, flushes, random)));
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });

    it('cancels the question of a client that has left, and nobody else’s', async () => {
      const direct = await postgres.createDatabase();
      const url = pooler.pooled(direct);
      await runMigrations(url, MIGRATIONS);
      const server = await startRollupServer(url);
      const holder = await connectDataSource({ url: direct });
      try {
        const query = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
        const lock = holder.createQueryRunner();
        await lock.startTransaction();
        await lock.query('LOCK TABLE block IN ACCESS EXCLUSIVE MODE');
        const leaving = new AbortController();
        const staying = server.cover.merged(query);
        const left = server.cover.merged({ ...query, signal: leaving.signal });
        setTimeout(() => {
          leaving.abort();
        }, 100);
        await expect(left).rejects.toMatchObject({ code: 'QUERY_CANCELLED' });
        await lock.rollbackTransaction();
        await lock.release();
        expect((await staying).sum).toBe(0);
      } finally {
        await holder.destroy();
        await server.close();
      }
    });

    it('serves as a whole, its queue in Postgres on a connection of its own', async () => {
      const url = await postgres.createDatabase();
      const server = await QueryServer.start(pooler.pooled(url), 'all', { QUEUE_DATABASE_URL: url });
      try {
        const at = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
        await server.store({ startMs: at, profiles: [profileFromText('5\nmain\nread')] });
        const ask = () =>
          server.get<FlameGraphAnswer>(`/api/v1/flame-graph?service=shop&type=cpu&from=${at}&until=${at + 60_000}`);
        expect((await ask()).body.sum).toBe(5);
        const direct = await connectDataSource({ url });
        await until(async () => {
          const [row] = (await direct.query('SELECT count(*) AS n FROM segment')) as [{ n: number }];
          return row.n > 0 || undefined;
        });
        await direct.destroy();
        expect((await ask()).body.sum).toBe(5);
        expect((await server.get('/readyz')).status).toBe(200);
      } finally {
        await server.stop();
      }
    });

    it('is refused by the queue in Postgres, which needs sessions: so the queue has an address of its own', async () => {
      const queues = new Queues({ backend: 'postgres', url: pooler.pooled(postgres.url) }, pino({ level: 'silent' }));
      try {
        await expect(queues.ping()).rejects.toThrow(/startup parameter/);
      } finally {
        await queues.close();
      }
    });
  },
);
