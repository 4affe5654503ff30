import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeletionAnswer, ServiceAnswer } from '@hearth/query-contract';
import { profileFromText } from '@hearth/profile-model/testing';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { until } from '../../../../../test/support/until.js';
import { listServiceTables } from '../../platform/database/service-rows.js';
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
async function store(service: string, flushes: number, startMs = START): Promise<number> {
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
    expect(Object.keys(await rowsOf(gone)).sort()).toEqual(Object.keys(before).sort());
    const sum = await sumOf('stays');

    const ordered = await server.delete<DeletionAnswer>('/api/v1/services/gone');
    expect(ordered).toMatchObject({ status: 202, body: { service: 'gone', finishedMs: null } });
    const done = await until(async () => {
      const { body } = await server.get<DeletionAnswer>(`/api/v1/deletions/${ordered.body.id}`);
      return body.status === 'done' ? body : undefined;
    });
    expect(done.rowsRemoved).toBeGreaterThan(30);
    expect(done.bytesReturned).toBeGreaterThan(0);
    expect(done.steps.done).toBe(done.steps.total);
    expect(await rowsOf(gone)).toEqual({ deletion: 1 });
    const { block, segment, ...unbuilt } = before; // the worker builds meanwhile
    expect(await rowsOf(stays)).toMatchObject(unbuilt);
    expect(block).toBeGreaterThan(0);
    expect(segment).toBeUndefined();
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
        await store('busy', 1, START + (n % 50) * 10_000).then(
          () => (stored += 1),
          (error: { code?: string }) => expect(error).toMatchObject({ code: 'CATALOG_GONE_BACK' }),
        );
      }
    };
    const remove = async () => {
      const order = await of(Deletions).order(1, old, 'busy');
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
    const order = await of(Deletions).order(1, serviceId, 'killed');
    expect((await of(Deletions).order(1, serviceId, 'killed')).id).toBe(order.id);
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
