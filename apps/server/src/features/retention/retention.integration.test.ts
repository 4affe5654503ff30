import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RetentionAnswer, RetentionDays, RetentionEstimateAnswer } from '@hearth/query-contract';
import { profileFromText } from '@hearth/profile-model/testing';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { Ticks } from '../../platform/queue/index.js';
import { Projects } from '../access/index.js';
import { Origins, PinnedRevisions } from '../catalog/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { LEVELS, UnusedEpochs, WindowRepository } from '../profile-store/index.js';
import { SegmentBuilder, UpperBuilder } from '../rollup/index.js';
import { TransactionWindows } from '../transactions/index.js';
import { RetentionExpiry } from './retention-expiry.js';
import { Retention } from './retention.js';

const DAY_MS = 86_400_000;
/** Noon of a day: a cutoff is then in the middle of a partition. */
const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const DEFAULT_DAYS: RetentionDays = { minutes: 3, hours: 90, days: 400, transactions: 90, series: 90, comparisons: 90 };

let postgres: TestPostgres;
let server: QueryServer;
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});
async function freshServer(): Promise<void> {
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  await of(Ticks).beforeApplicationShutdown(); // from here on only the test forgets
}

interface Row {
  readonly table: 'transaction_window' | 'process_series' | 'comparison';
  readonly serviceId: number;
  readonly atMs: number;
}
const TIERS = { transaction_window: 'transactions', process_series: 'series', comparison: 'comparisons' } as const;

/** Made rows of one service on one day. */
async function fill(serviceId: number, atMs: number, count: number): Promise<void> {
  await of(TransactionWindows).partitions.ensure([atMs]);
  await of(ProcessSeries).partitions.ensure([atMs]);
  const database = of(DataSource);
  await database.query(
    `INSERT INTO transaction_window SELECT $1, $2, n, 1, 1, 1, 0, 0, 1, 1, '{1}', '{1}' FROM generate_series(1, $3) AS n`,
    [serviceId, atMs, count],
  );
  await database.query(`INSERT INTO process_series SELECT $1, $2, n, 1, 1, 10, '{1}', '{1}' FROM generate_series(1, $3) AS n`, [
    serviceId,
    atMs,
    count,
  ]);
  await database.query(
    `INSERT INTO comparison (service_id, id, project_id, created_ms, baseline, candidate, status, result)
     SELECT $1, $2::bigint || '.' || n, 1, $2, '{}', '{}', 'done', '\\x0102' FROM generate_series(1, $3) AS n`,
    [serviceId, atMs, count],
  );
}

const rows = async (): Promise<Row[]> =>
  of(DataSource).query(`
    SELECT 'transaction_window' AS "table", service_id AS "serviceId", window_start_ms AS "atMs" FROM transaction_window
    UNION ALL SELECT 'process_series', service_id, start_ms FROM process_series
    UNION ALL SELECT 'comparison', service_id, created_ms FROM comparison ORDER BY 1, 2, 3`);

/** Builds every minute, hour and day that is pending. */
async function buildAll(): Promise<void> {
  const windows = of(WindowRepository);
  for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 1_000)) await of(SegmentBuilder).build(key);
  for (const level of [LEVELS.hour, LEVELS.day])
    for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 1_000, level)) await of(UpperBuilder).build(level, key);
}

/** Partitions are days: all of a day is past, or none of it. */
function isPast({ table, atMs }: Row, days: RetentionDays): boolean {
  const cutoffMs = NOW - days[TIERS[table]] * DAY_MS;
  return table === 'comparison' ? atMs < cutoffMs : Math.floor(atMs / DAY_MS) * DAY_MS + DAY_MS <= cutoffMs;
}

describe('Retention', () => {
  it('has defaults, and takes one to 3650 days from an admin', async () => {
    await freshServer();
    try {
      expect((await server.get<RetentionAnswer>('/api/v1/retention')).body).toEqual({
        days: DEFAULT_DAYS,
        defaultDays: DEFAULT_DAYS,
      });
      const set = await server.put<RetentionAnswer>('/api/v1/retention', { transactions: 1, series: 3650 });
      expect(set).toMatchObject({ status: 200, body: { days: { transactions: 1, series: 3650, comparisons: 90 } } });
      expect((await server.get<RetentionAnswer>('/api/v1/retention')).body.days.transactions).toBe(1);
      expect((await server.put('/api/v1/retention', { minutes: 4, hours: 3 })).body).toMatchObject({ code: 'REQUEST_INVALID' });
      expect((await server.put('/api/v1/retention', { minutes: 3, hours: 3, days: 3 })).status).toBe(200);
      expect((await server.put('/api/v1/retention', { transaction: 400 })).body).toMatchObject({ code: 'REQUEST_INVALID' }); // no tier
      for (const days of [0, 3651, 1.5]) expect((await server.put('/api/v1/retention', { series: days })).status).toBe(400);
      const { body: key } = await server.post<{ key: string }>('/api/v1/api-keys', { name: 'reader', kind: 'read' });
      expect((await server.put('/api/v1/retention', {}, key.key)).status).toBe(403);
    } finally {
      await server.stop();
    }
  });

  it.each([1, 2])('keeps exactly what is not past the policy of its project (seed %i)', async (seed) => {
    await freshServer();
    try {
      const random = randomNumbers(seed);
      const below = (limit: number) => Math.floor(random() * limit);
      const projects: { id: number; services: number[]; days: RetentionDays }[] = [];
      for (const name of ['default', 'second', 'third']) {
        const { id } = await of(Projects).ensure(name);
        const services = [];
        for (let n = 0; n < 2; n += 1) services.push(await of(Origins).ensureService(id, `service ${n}`, NOW));
        const days: RetentionDays = {
          minutes: 1 + below(6),
          hours: 1 + below(6),
          days: 1 + below(6),
          transactions: 1 + below(6),
          series: 1 + below(6),
          comparisons: 1 + below(6),
        };
        if (name !== 'third') await of(Retention).setPolicy(id, days);
        projects.push({ id, services, days: name === 'third' ? DEFAULT_DAYS : days });
      }
      for (const { services } of projects)
        for (const serviceId of services)
          for (let times = 0; times < 6; times += 1)
            await fill(serviceId, NOW - below(8) * DAY_MS - below(DAY_MS), 1 + below(40));
      // Around the cutoffs: the last moment of a day that goes, the first of one that stays.
      const [first] = projects;
      const startOfDayMs = Math.floor(NOW / DAY_MS) * DAY_MS - first!.days.transactions * DAY_MS;
      await fill(first!.services[0]!, startOfDayMs - 1, 3);
      await fill(first!.services[0]!, startOfDayMs, 3);

      const before = await rows();
      const daysOf = (row: Row) => projects.find(({ services }) => services.includes(row.serviceId))!.days;
      const expected = before.filter((row) => !isPast(row, daysOf(row)));
      expect(expected.length).toBeGreaterThan(0);
      expect(expected.length).toBeLessThan(before.length);
      for (const { id, services, days } of projects) {
        const { tiers } = await of(Retention).estimate(id, days, NOW);
        for (const [table, tier] of Object.entries(TIERS)) {
          const mine = before.filter((row) => row.table === table && services.includes(row.serviceId));
          const goes = mine.filter((row) => isPast(row, days)).length;
          expect(tiers.find((one) => one.tier === tier)).toMatchObject({
            goes: { rows: goes },
            stays: { rows: mine.length - goes },
          });
        }
      }
      await Promise.all([of(RetentionExpiry).expire(NOW), of(RetentionExpiry).expire(NOW)]);
      await of(RetentionExpiry).expire(NOW);
      expect(await rows()).toEqual(expected);
    } finally {
      await server.stop();
    }
  });

  it('forgets a process when nothing that names it can be left, and takes it for a new one when it comes back', async () => {
    await freshServer();
    try {
      const days = { ...DEFAULT_DAYS, days: 95 };
      await of(Retention).setPolicy(1, days);
      const flush = (process: string, agoMs: number) => ({ process, startMs: NOW - agoMs, durationMs: 10_000 });
      await server.store(flush('gone', (95 + 30) * DAY_MS + 10_001), flush('stays', (95 + 30) * DAY_MS + 10_000));
      await of(RetentionExpiry).expire(NOW);
      const { body } = await server.get<{ id: string }[]>('/api/v1/services/shop/processes');
      expect(body.map(({ id }) => Buffer.from(id.replace(/^(00)+/, ''), 'hex').toString())).toEqual(['stays']);
      await expect(server.store(flush('gone', 0))).rejects.toMatchObject({ code: 'CATALOG_GONE_BACK' });
      await server.store(flush('gone', 0));
      expect((await server.get<unknown[]>('/api/v1/services/shop/processes')).body).toHaveLength(2);
    } finally {
      await server.stop();
    }
  });

  it('drops a partition that every project is done with', async () => {
    await freshServer();
    try {
      const serviceId = await of(Origins).ensureService(1, 'shop', NOW);
      await fill(serviceId, NOW - 92 * DAY_MS, 5);
      await fill(serviceId, NOW, 5);
      await of(RetentionExpiry).expire(NOW);
      /** Whether each has the partition of the old rows: a server makes those of days to come by itself. */
      const haveOld = async () =>
        Promise.all(
          [of(TransactionWindows), of(ProcessSeries)].map(async ({ partitions }) =>
            (await partitions.list()).some(({ startMs }) => startMs <= NOW - 92 * DAY_MS),
          ),
        );
      expect(await haveOld()).toEqual([false, false]);
      // What is late for a partition that is gone makes it again.
      await server.store({ service: 'shop', startMs: NOW - 92 * DAY_MS, transactions: [{ labels: {}, durationsMicros: [5] }] });
      expect((await haveOld())[0]).toBe(true);
    } finally {
      await server.stop();
    }
  });

  it('stops nobody for a partition that minutes of pinned revisions keep, and asks again before it drops one', async () => {
    await freshServer();
    const reader = of(DataSource).createQueryRunner();
    try {
      const serviceId = await of(Origins).ensureService(1, 'shop', NOW);
      await fill(serviceId, NOW - 92 * DAY_MS, 5);
      const pin = { serviceId, revisionId: 1 };
      const partitions = async () => (await of(TransactionWindows).partitions.list()).length;
      /** Expires beside somebody who reads. @returns Whether it asked for all of the table, after which `happens`. */
      const asksForTable = async (happens: () => Promise<unknown>): Promise<boolean> => {
        await reader.startTransaction();
        await reader.query('SELECT FROM transaction_window LIMIT 1');
        let [isOver, hasAsked] = [false, false];
        const expiring = of(RetentionExpiry)
          .expire(NOW)
          .finally(() => (isOver = true));
        while (!isOver && !hasAsked) {
          const waiting = (await of(DataSource).query(
            `SELECT FROM pg_locks WHERE relation = 'transaction_window'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted`,
          )) as unknown[];
          hasAsked = waiting.length > 0;
        }
        if (hasAsked) await happens();
        await reader.commitTransaction();
        await expiring;
        return hasAsked;
      };
      // Pinned while it waits for the table.
      expect(await asksForTable(async () => of(PinnedRevisions).pin(pin, 1, 0))).toBe(true);
      expect(await partitions()).toBe(1);
      expect(await asksForTable(async () => undefined)).toBe(false);
      expect(await partitions()).toBe(1);
      // What is kept of one keeps nothing of others.
      const otherId = await of(Origins).ensureService(1, 'other', NOW);
      await fill(otherId, NOW - 92 * DAY_MS, 3);
      await of(DataSource).query('UPDATE transaction_window SET revision_id = 2 WHERE service_id = $1', [otherId]);
      await of(RetentionExpiry).expire(NOW);
      expect((await rows()).filter(({ table }) => table === 'transaction_window').map((row) => row.serviceId)).toEqual(
        Array.from({ length: 5 }, () => serviceId),
      );
      await of(PinnedRevisions).unpin(pin, async () => undefined);
      await of(RetentionExpiry).expire(NOW);
      expect(await partitions()).toBe(0);
    } finally {
      await reader.release();
      await server.stop();
    }
  });

  it('merges minutes into hours and hours into days as they age, and loses nothing before its days are past', async () => {
    await freshServer();
    try {
      const random = randomNumbers(4);
      const flushes: { startMs: number; value: number }[] = [];
      for (let day = 0; day < 7; day += 1) {
        for (let times = 0; times < 3; times += 1) {
          const startMs = NOW - day * DAY_MS - Math.floor((random() * DAY_MS) / 2) - 10_000;
          const value = 1_000 + Math.floor(random() * 1_000);
          flushes.push({ startMs, value });
          await server.store({ startMs, profiles: [profileFromText(`${value}\nmain`)] });
        }
      }
      const days: RetentionDays = { ...DEFAULT_DAYS, minutes: 1, hours: 2, days: 4 };
      await of(Retention).setPolicy(1, days);
      await buildAll();
      const sum = async () => {
        const { body } = await server.get<{ sum: number }>(
          `/api/v1/functions?service=shop&type=cpu&from=${NOW - 20 * DAY_MS}&until=${NOW + DAY_MS}`,
        );
        return body.sum;
      };
      const sumOf = (kept: readonly { value: number }[]) => kept.reduce((total, { value }) => total + value, 0);
      expect(await sum()).toBe(sumOf(flushes));
      const unit = (await sum()) / sumOf(flushes);

      const { tiers } = await of(Retention).estimate(1, days, NOW);
      const count = async (table: string) =>
        ((await of(DataSource).query(`SELECT count(*) AS n FROM ${table}`)) as { n: number }[])[0]!.n;
      const minutesBefore = await count('segment');
      for (let times = 0; times < 2; times += 1)
        await Promise.all([of(RetentionExpiry).expire(NOW), of(RetentionExpiry).expire(NOW)]);
      await of(UnusedEpochs).drop();
      const kept = flushes.filter(({ startMs }) => Math.floor(startMs / DAY_MS) * DAY_MS + DAY_MS > NOW - 4 * DAY_MS);
      expect(kept.length).toBeLessThan(flushes.length);
      expect(await sum()).toBe(sumOf(kept) * unit);
      expect(minutesBefore - (await count('segment'))).toBe(tiers.find(({ tier }) => tier === 'minutes')!.goes.rows);
      expect(await count('segment')).toBeGreaterThan(0);
      expect(await count('hour_segment')).toBeGreaterThan(0);
      expect(await count('day_totals')).toBeGreaterThan(0);
      // What is late for a day that was merged is added to it.
      await server.store({ startMs: NOW - 3 * DAY_MS, profiles: [profileFromText('7\nmain')] });
      await buildAll();
      await of(RetentionExpiry).expire(NOW);
      await buildAll();
      expect(await sum()).toBe((sumOf(kept) + 7) * unit);
    } finally {
      await server.stop();
    }
  });

  it('estimates over HTTP, in bytes too', async () => {
    await freshServer();
    try {
      const serviceId = await of(Origins).ensureService(1, 'shop', Date.now());
      await fill(serviceId, Date.now() - 10 * DAY_MS, 1_000);
      await fill(serviceId, Date.now(), 2_000);
      const { status, body } = await server.post<RetentionEstimateAnswer>('/api/v1/retention/estimate', { transactions: 5 });
      expect(status).toBe(200);
      const [, , , transactions, series] = body.tiers;
      expect(transactions).toMatchObject({ tier: 'transactions', days: 5, goes: { rows: 1_000 }, stays: { rows: 2_000 } });
      expect(transactions!.goes.bytes).toBeGreaterThan(100_000);
      expect(transactions!.stays.bytes / transactions!.goes.bytes).toBeGreaterThan(1.5);
      expect(series).toMatchObject({ days: 90, goes: { rows: 0, bytes: 0 }, stays: { rows: 3_000 } });
    } finally {
      await server.stop();
    }
  });
});
