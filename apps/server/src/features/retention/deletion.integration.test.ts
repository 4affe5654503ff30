import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComparisonAnswer, DeletionAnswer, ServiceAnswer } from '@hearth/query-contract';
import { profileFromText } from '@hearth/profile-model/testing';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { until } from '../../../../../test/support/until.js';
import { listServiceTables } from '../../platform/database/service-rows.js';
import { Ticks } from '../../platform/queue/index.js';
import { Catalog } from '../catalog/index.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions } from './deletions.repository.js';

const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;

let postgres: TestPostgres;
let server: QueryServer;
let worker: QueryServer;
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => worker.app.get(kind, { strict: false });
beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  server = await QueryServer.start(url);
  worker = await QueryServer.start(url, 'worker');
});
afterAll(async () => {
  await worker?.stop();
  await server?.stop();
  await postgres?.stop();
});

const profile = profileFromText(`
  10    5
  main  main
  read  parse
`);
async function storeFlushes(service: string, flushes: number, startMs = START): Promise<void> {
  for (let n = 0; n < flushes; n += 1) {
    await server.store({
      service,
      process: `p${n % 3}`,
      startMs: startMs + n * 10_000,
      profiles: [profile],
      transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: [5, 6] }],
      series: { rss_bytes: 1 },
    });
  }
}
async function store(service: string, flushes: number, startMs = START): Promise<number> {
  await storeFlushes(service, flushes, startMs);
  return (await server.app.get(Catalog, { strict: false }).findService(1, service))!.id;
}
/** Every row there is of a service, by table. */
async function rowsOf(serviceId: number): Promise<Record<string, number>> {
  const database = of(DataSource);
  const counts: Record<string, number> = {};
  for (const { table } of await listServiceTables(database)) {
    const [row] = (await database.query(`SELECT count(*) AS n FROM ${table} WHERE service_id = $1`, [serviceId])) as {
      n: number;
    }[];
    if (row!.n > 0) counts[table.replace(/_h\d+$/, '')] = (counts[table.replace(/_h\d+$/, '')] ?? 0) + row!.n;
  }
  return counts;
}
/** Without what a worker builds and drops meanwhile. */
const unbuilt = (rows: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(rows).filter(([table]) => !/^(block|segment|hour_|day_|release_)/.test(table)));
const orderService = (serviceId: number, service: string) =>
  of(Deletions).add({ projectId: 1, serviceId, service, selector: { kind: 'service' } });
const orderOf = async (id: string) => (await server.get<DeletionAnswer>(`/api/v1/deletions/${id}`)).body;
const doneOrder = (id: string) =>
  until(async () => {
    const order = await orderOf(id);
    return order.status === 'done' ? order : undefined;
  });
const sumOf = async (service: string) =>
  (await server.get<{ sum: number }>(`/api/v1/functions?service=${service}&type=cpu&from=${START}&until=${START + 600_000}`)).body
    .sum;

describe('deleting a service', () => {
  it('removes every row of it, of nobody else, and says how far it is', async () => {
    const gone = await store('gone', 12);
    await store('gone', 2, START - 2 * 86_400_000); // a day of its own: its partitions go whole
    const stays = await store('stays', 12);
    const before = await rowsOf(stays);
    expect(Object.keys(await rowsOf(gone))).toEqual(
      expect.arrayContaining(['block', 'process', 'profile_window', 'transaction_window']),
    );
    expect(Object.keys(unbuilt(await rowsOf(gone))).sort()).toEqual(Object.keys(unbuilt(before)).sort());
    const sum = await sumOf('stays');

    const ordered = await server.delete<DeletionAnswer>('/api/v1/services/gone');
    expect(ordered).toMatchObject({ status: 202, body: { service: 'gone', finishedMs: null } });
    const done = await doneOrder(ordered.body.id);
    expect(done.rowsRemoved).toBeGreaterThan(30);
    expect(done.bytesReturned).toBeGreaterThan(0);
    expect(done.steps.done).toBe(done.steps.total);
    expect(await rowsOf(gone)).toEqual({ deletion: 1 });
    expect(unbuilt(await rowsOf(stays))).toEqual(unbuilt(before));
    expect(await sumOf('stays')).toBe(sum);
    expect((await server.get<ServiceAnswer[]>('/api/v1/services')).body.map(({ name }) => name)).toEqual(['stays']);
    expect((await server.delete('/api/v1/services/gone')).body).toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    expect((await server.get(`/api/v1/deletions/${Number(ordered.body.id) + 1}`)).body).toMatchObject({
      code: 'DELETION_NOT_FOUND',
    });
    expect((await server.get<DeletionAnswer[]>('/api/v1/deletions')).body).toMatchObject([
      { id: ordered.body.id, status: 'done' },
    ]);
  });

  it('leaves nothing behind of what is stored meanwhile, and what is sent after is of a new service', async () => {
    const old = await store('busy', 3);
    let isOver = false;
    let stored = 0;
    const send = async () => {
      for (let n = 0; !isOver || stored === 0; n += 1) {
        // As an agent does: told to send again, it does.
        await storeFlushes('busy', 1, START + (n % 50) * 10_000).then(
          () => (stored += 1),
          (error: { code?: string }) => expect(error).toMatchObject({ code: 'CATALOG_GONE_BACK' }),
        );
      }
    };
    const remove = async () => {
      const order = await orderService(old, 'busy');
      await of(DeletionRun).run(order, 1_500);
      isOver = true;
    };
    await Promise.all([remove(), send()]);
    expect(await rowsOf(old)).toEqual({ deletion: 1 });
    const again = (await of(Catalog).findService(1, 'busy'))!.id;
    expect(again).not.toBe(old);
    expect((await rowsOf(again))['block']).toBeGreaterThan(0);
  });

  it('goes on after it was killed, beside itself, and does nothing twice', async () => {
    const serviceId = await store('killed', 6);
    const order = await orderService(serviceId, 'killed');
    // Killed after some tables.
    await of(Catalog).removeService(serviceId);
    await of(DataSource).query('DELETE FROM process WHERE service_id = $1', [serviceId]);
    await of(Deletions).begin(order);
    await Promise.all([of(DeletionRun).run(order, 100), of(DeletionRun).run(order, 100), of(DeletionRun).run(order, 100)]);
    await until(async () => ((await of(Deletions).find(order))!.status === 'done' ? true : undefined));
    expect(await rowsOf(serviceId)).toEqual({ deletion: 1 });
    const { rowsRemoved } = (await of(Deletions).find(order))!;
    await of(DeletionRun).run(order, 100);
    expect((await of(Deletions).find(order))!.rowsRemoved).toBe(rowsRemoved);
  });
});

describe('deleting a range of time of a service', () => {
  it('removes what belongs to it of everything, and nothing else', async () => {
    const serviceId = await store('ranged', 30);
    await store('beside', 30);
    const beside = await sumOf('beside');
    const range = { fromMs: START + 60_000, untilMs: START + 180_000 };
    const comparisonOf = async (fromMs: number) => {
      const side = { service: 'ranged', from: String(fromMs), until: String(fromMs + 60_000) };
      return (await server.post<ComparisonAnswer>('/api/v1/comparisons', { baseline: side, candidate: side })).body.id;
    };
    const inside = await comparisonOf(range.fromMs);
    const outside = await comparisonOf(range.untilMs);
    const path = `/api/v1/services/ranged/data?from=${range.fromMs}&until=${range.untilMs}`;
    const ordered = await server.delete<DeletionAnswer>(path);
    expect(ordered).toMatchObject({
      status: 202,
      body: { service: 'ranged', selector: { kind: 'range', ...range }, error: null },
    });
    const done = await doneOrder(ordered.body.id);
    expect(done.steps.done).toBe(done.steps.total);
    expect(done.rowsRemoved).toBeGreaterThan(24); // twelve flushes: their transactions, their series, their profiles
    expect(await sumOf('ranged')).toBe(15 * 18);
    expect(await sumOf('beside')).toBe(beside);
    const starts = async (table: string, column: string) =>
      (
        (await of(DataSource).query(
          `SELECT DISTINCT ${column} / 60000 * 60000 AS start FROM ${table} WHERE service_id = $1 ORDER BY 1`,
          [serviceId],
        )) as { start: number }[]
      ).map(({ start }) => start - START);
    expect(await starts('transaction_window', 'window_start_ms')).toEqual([0, 180_000, 240_000]);
    expect(await starts('process_series', 'start_ms')).toEqual([0, 180_000, 240_000]);
    expect((await server.get(`/api/v1/comparisons/${inside}`)).body).toMatchObject({ code: 'COMPARISON_NOT_FOUND' });
    expect((await server.get(`/api/v1/comparisons/${outside}`)).status).toBe(200);
    // Ordered again it is another order, which finds nothing.
    const again = await server.delete<DeletionAnswer>(path);
    expect(again.body.id).not.toBe(ordered.body.id);
    expect((await doneOrder(again.body.id)).rowsRemoved).toBe(0);
    await store('ranged', 1, range.fromMs);
    expect(await sumOf('ranged')).toBe(15 * 19);
  });

  it.each([
    ['', 'REQUEST_INVALID'],
    ['?from=0', 'REQUEST_INVALID'],
    ['?from=60000&until=60000', 'RANGE_EMPTY'],
    ['?from=60000&until=119999', 'DELETION_RANGE_UNEVEN'],
    ['?from=yesterday&until=now', 'REQUEST_INVALID'],
  ])('refuses %s with a code', async (query, code) => {
    await store('ranged', 1);
    expect(await server.delete(`/api/v1/services/ranged/data${query}`)).toMatchObject({ status: 400, body: { code } });
  });
});

describe('an order that cannot be carried out', () => {
  it('is given up after so many tries, says why, and is tried again when it is sent again', async () => {
    await store('held', 3);
    const path = `/api/v1/services/held/data?from=${START}&until=${START + 60_000}`;
    const holder = of(DataSource).createQueryRunner();
    try {
      // As a backup does: it reads for longer than anybody waits.
      await holder.startTransaction();
      await holder.query('LOCK TABLE process_series IN ACCESS SHARE MODE');
      const { body } = await server.delete<DeletionAnswer>(path);
      const postponed = await until(async () => {
        const order = await orderOf(body.id);
        return order.error === null ? undefined : order;
      });
      expect(postponed).toMatchObject({ status: 'pending', attempts: 1, error: { code: 'DELETION_BUSY' } });
      expect((await server.delete<DeletionAnswer>(path)).body).toMatchObject({ id: body.id, attempts: 1 });

      await of(DataSource).query('UPDATE deletion SET attempts = 11, next_attempt_ms = 0 WHERE id = $1', [body.id]);
      const failed = await until(async () => {
        const order = await orderOf(body.id);
        return order.status === 'failed' ? order : undefined;
      });
      expect(failed).toMatchObject({ attempts: 12, error: { code: 'DELETION_FAILED' } });
      expect(failed.error!.message).toMatch(/^given up after 12 tries: process_series_h\d+ is so busy/);
      expect(failed.finishedMs).toBeGreaterThan(0);
      await holder.rollbackTransaction();
      expect((await server.delete<DeletionAnswer>(path)).body).toMatchObject({
        id: body.id,
        status: 'pending',
        attempts: 0,
        error: null,
        finishedMs: null,
      });
      expect(await doneOrder(body.id)).toMatchObject({ error: null });
    } finally {
      await holder.release();
    }
  });
});

describe('an order that is left of a service', () => {
  // Nothing is carried out but by the test: the worker waits longer in case something is still on its way.
  beforeAll(() => of(Ticks).beforeApplicationShutdown());
  const carryOut = async (id: string, serviceId: number) => {
    await of(DeletionRun).run({ serviceId, id: Number(id) }, 100);
    expect((await orderOf(id)).status).toBe('done');
  };

  it('that is not found any more is found by its name, and is given up when its worker dies each time', async () => {
    const serviceId = await store('lost', 1);
    const order = await orderService(serviceId, 'lost');
    await of(Catalog).removeService(serviceId);
    await of(DataSource).query('UPDATE deletion SET attempts = 12 WHERE id = $1', [order.id]);
    await of(DeletionRun).run(order);
    const failed = await orderOf(String(order.id));
    expect(failed.status).toBe('failed');
    expect(failed.error).toEqual({ code: 'DELETION_FAILED', message: 'given up after 12 tries: its worker was lost each time' });
    expect((await server.delete<DeletionAnswer>('/api/v1/services/lost')).body.id).toBe(String(order.id));
    await carryOut(String(order.id), serviceId);
    expect(await rowsOf(serviceId)).toEqual({ deletion: 1 });
  });

  it('that has come back since keeps nobody from deleting that one', async () => {
    const serviceId = await store('returned', 1);
    const order = await orderService(serviceId, 'returned');
    await of(Catalog).removeService(serviceId);
    await of(DataSource).query("UPDATE deletion SET attempts = 12, state = 'failed' WHERE id = $1", [order.id]);
    // As an agent does: told to send again, it does.
    const again = await store('returned', 1).catch(async (error: unknown) => {
      expect(error).toMatchObject({ code: 'CATALOG_GONE_BACK' });
      return store('returned', 1);
    });
    expect(again).not.toBe(serviceId);
    const answer = await server.delete<DeletionAnswer>('/api/v1/services/returned');
    expect(answer).toMatchObject({ status: 202, body: { service: 'returned', error: null } });
    expect(answer.body.id).not.toBe(String(order.id)); // the one that came back is another
    // Both go: the one that is there, and what was left of the one before.
    await carryOut(answer.body.id, again);
    await carryOut(String(order.id), serviceId);
    for (const one of [again, serviceId]) expect(await rowsOf(one)).toEqual({ deletion: 1 });
    expect(await server.delete('/api/v1/services/returned')).toMatchObject({ status: 404, body: { code: 'SERVICE_NOT_FOUND' } });
  });
});
