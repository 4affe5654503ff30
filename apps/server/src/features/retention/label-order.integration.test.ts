import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelSet } from '@hearth/profile-model';
import type { ComparisonAnswer, DeletionAnswer, LabelValuesAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { DataSource } from 'typeorm';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { until } from '../../../../../test/support/until.js';
import { Ticks } from '../../platform/queue/index.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions } from './deletions.repository.js';

const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
const RANGE = `from=${START}&until=${START + 600_000}`;
/** Nothing is on its way when a test lets the worker begin. */
const SETTLED_MS = 100;

let postgres: TestPostgres;
let servers: QueryServer[] = [];
let worker: QueryServer;
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => worker.app.get(kind, { strict: false });
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

/** Two servers that take batches and answer, and a worker that does what it is told to. */
async function withServers(work: (one: QueryServer, other: QueryServer) => Promise<void>): Promise<void> {
  const url = await postgres.createDatabase();
  servers = [await QueryServer.start(url), await QueryServer.start(url)];
  worker = await QueryServer.start(url, 'worker');
  await of(Ticks).beforeApplicationShutdown();
  try {
    await work(servers[0]!, servers[1]!);
  } finally {
    for (const server of [...servers, worker]) await server.stop();
  }
}

/** One of a process whose pod is `pod`: 1,000 + `sequence` microseconds with this plan, and a transaction. */
function batchOf(sequence: number, plan: string, pod: string): Batch {
  const batch = madeBatch({ processId: pod.padEnd(32, '0'), sequence, startMs: START + sequence * 10_000 });
  const process = { ...batch.process, labels: labelSet({ pod }) };
  return { ...batch, process, labelSets: [labelSet({ plan, transaction: 'job' })] };
}
/** As an agent does: what is refused for now is sent again. @returns Codes of refusals. */
async function send(server: QueryServer, batch: Batch): Promise<(string | undefined)[]> {
  const refusals: (string | undefined)[] = [];
  await until(async () => {
    const { status, body } = await sendBatch(server.address, batch);
    if (status === 202) return true;
    refusals.push(body.code);
    return undefined;
  });
  return refusals;
}
const valuesOf = async (server: QueryServer, label: string) =>
  (await server.get<LabelValuesAnswer>(`/api/v1/services/made/labels/${label}/values?${RANGE}`)).body.values;
const sumOf = async (server: QueryServer) =>
  (await server.get<{ sum: number }>(`/api/v1/functions?service=made&${RANGE}`)).body.sum;
async function carryOut(id: string): Promise<DeletionAnswer> {
  const order = (await of(Deletions).findOfProject(1, Number(id)))!;
  await of(DeletionRun).run(order, SETTLED_MS);
  return (await servers[0]!.get<DeletionAnswer>(`/api/v1/deletions/${id}`)).body;
}
const giveUp = (id: string) => of(DataSource).query("UPDATE deletion SET state = 'failed', finished_ms = 1 WHERE id = $1", [id]);
const rowsOf = async (table: string, where: string) =>
  ((await of(DataSource).query(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)) as { n: number }[])[0]!.n;

describe('DELETE /services/:service/data by label', () => {
  it('takes the value away from samples, transactions, lists and comparisons; what is sent after stays', async () => {
    await withServers(async (one, other) => {
      for (let n = 0; n < 12; n += 1) await send(n % 2 ? one : other, batchOf(n, n % 3 === 0 ? 'secret' : 'pro', 'a'));
      expect(await valuesOf(one, 'plan')).toEqual(['pro', 'secret']);
      expect(await valuesOf(other, 'plan')).toEqual(['pro', 'secret']);
      const all = 12_000 + 66;
      const secret = 4_000 + 0 + 3 + 6 + 9;
      expect(await sumOf(one)).toBe(all);
      const side = { service: 'made', from: String(START), until: String(START + 60_000) };
      const compared = await one.post<ComparisonAnswer>('/api/v1/comparisons', { baseline: side, candidate: side });

      const path = '/api/v1/services/made/data?label=plan&value=secret';
      const ordered = await one.delete<DeletionAnswer>(path);
      expect(ordered).toMatchObject({
        status: 202,
        body: { selector: { kind: 'label', name: 'plan', value: 'secret' }, status: 'pending' },
      });
      // A server that remembers the ids that are gone does not store under them.
      expect(await send(other, batchOf(13, 'pro', 'a'))).toEqual(['CATALOG_GONE_BACK']);
      // Nobody is shown it from now on, on whichever server.
      expect(await valuesOf(one, 'plan')).toEqual(['pro']);
      expect(await valuesOf(other, 'plan')).toEqual(['pro']);
      expect((await other.delete<DeletionAnswer>(path)).body.id).toBe(ordered.body.id);
      // What is sent now has other ids, and stays.
      expect(await send(one, batchOf(12, 'secret', 'a'))).toEqual([]);
      expect(await send(other, batchOf(14, 'secret', 'a'))).toEqual([]);

      const done = await carryOut(ordered.body.id);
      expect(done).toMatchObject({ status: 'done', error: null });
      expect(done.rowsRemoved).toBeGreaterThan(8);
      expect(await sumOf(one)).toBe(all - secret + 3_000 + 12 + 13 + 14);
      expect(await sumOf(other)).toBe(all - secret + 3_000 + 12 + 13 + 14);
      expect(await valuesOf(one, 'plan')).toEqual(['pro', 'secret']); // sent after the order
      expect(await of(DataSource).query('SELECT sum(count)::bigint AS n FROM transaction_window')).toEqual([{ n: 11 }]);
      expect((await one.get(`/api/v1/comparisons/${compared.body.id}`)).body).toMatchObject({ code: 'COMPARISON_NOT_FOUND' });

      const again = await other.delete<DeletionAnswer>(path);
      expect(again.body.id).not.toBe(ordered.body.id);
      await carryOut(again.body.id);
      expect(await sumOf(other)).toBe(all - secret + 1_000 + 13);
      expect(await valuesOf(one, 'plan')).toEqual(['pro']);
      expect(await one.delete(path)).toMatchObject({ status: 404, body: { code: 'LABEL_VALUE_NOT_FOUND' } });
      // Name and value are no list of two words.
      expect(await one.delete('/api/v1/services/made/data?label=pro&value=plan')).toMatchObject({ status: 404 });
    });
  });

  it('takes away everything of the processes that carry it, and those that come back are others', async () => {
    await withServers(async (one, other) => {
      for (let n = 0; n < 8; n += 1) await send(n % 2 ? one : other, batchOf(n, 'pro', n % 4 < 2 ? 'a' : 'b'));
      const ordered = await one.delete<DeletionAnswer>('/api/v1/services/made/data?label=pod&value=a');
      expect(await valuesOf(other, 'pod')).toEqual(['b']);
      expect(await send(other, batchOf(8, 'pro', 'a'))).toEqual(['CATALOG_GONE_BACK']);
      expect((await carryOut(ordered.body.id)).status).toBe('done');
      expect(await sumOf(one)).toBe(4_000 + 2 + 3 + 6 + 7 + 1_008);
      expect(await valuesOf(one, 'pod')).toEqual(['a', 'b']);
      expect(await rowsOf('process', 'true')).toBe(2);
      for (const table of ['process_series', 'transaction_window', 'batch_receipt'])
        expect(await rowsOf(table, 'process_id NOT IN (SELECT id FROM process)'), table).toBe(0);
    });
  });

  it('finds what a process sent under another release too, which the catalog does not tell of', async () => {
    await withServers(async (one) => {
      await send(one, batchOf(0, 'pro', 'a'));
      const { process, ...later } = batchOf(1, 'pro', 'a');
      await send(one, { ...later, process: { ...process, revision: 'made-2', environment: 'canary' } });
      await send(one, batchOf(2, 'pro', 'b'));
      expect(await of(DataSource).query('SELECT DISTINCT process_id, revision_id FROM block WHERE process_id = 1')).toHaveLength(
        2,
      );
      expect(await rowsOf('process', 'id = 1')).toBe(1);
      const ordered = await one.delete<DeletionAnswer>('/api/v1/services/made/data?label=pod&value=a');
      expect((await carryOut(ordered.body.id)).status).toBe('done');
      expect(await sumOf(one)).toBe(1_002);
      for (const table of ['block', 'transaction_window', 'process_series'])
        expect(await rowsOf(table, 'process_id = 1'), table).toBe(0);
    });
  });

  it('takes what has come since with it when one that was given up is sent again', async () => {
    await withServers(async (one, other) => {
      await send(one, batchOf(0, 'secret', 'a'));
      await send(one, batchOf(1, 'pro', 'b'));
      for (const [path, batch, left] of [
        ['/api/v1/services/made/data?label=plan&value=secret', batchOf(2, 'secret', 'a'), 1_001],
        ['/api/v1/services/made/data?label=pod&value=b', batchOf(3, 'pro', 'b'), 0],
      ] as const) {
        const { id } = (await one.delete<DeletionAnswer>(path)).body;
        await giveUp(id);
        await send(one, batch);
        // At once, on two servers: one order.
        const again = await Promise.all([one, other].map((server) => server.delete<DeletionAnswer>(path)));
        for (const answer of again) expect(answer).toMatchObject({ status: 202, body: { id, status: 'pending', error: null } });
        expect((await carryOut(id)).status).toBe('done');
        expect(await sumOf(one)).toBe(left);
        expect(await one.delete(path)).toMatchObject({ status: 404, body: { code: 'LABEL_VALUE_NOT_FOUND' } });
      }
      expect(await rowsOf('process', 'true')).toBe(1);
    });
  });

  it('tries one that was given up again, also if nothing has come since', async () => {
    await withServers(async (one) => {
      await send(one, batchOf(0, 'secret', 'a'));
      const path = '/api/v1/services/made/data?label=plan&value=secret';
      const { id } = (await one.delete<DeletionAnswer>(path)).body;
      await giveUp(id);
      expect(await one.delete<DeletionAnswer>(path)).toMatchObject({ status: 202, body: { id, status: 'pending' } });
      expect((await carryOut(id)).status).toBe('done');
      expect(await sumOf(one)).toBe(0);
    });
  });

  it('writes nothing where nothing has the label', async () => {
    await withServers(async (one, other) => {
      await send(one, batchOf(0, 'pro', 'a'));
      const generation = async () => of(DataSource).query('SELECT label_generation::int AS generation FROM service');
      const path = '/api/v1/services/made/data?label=plan&value=';
      const isMissing = { status: 404, body: { code: 'LABEL_VALUE_NOT_FOUND' } };
      expect(await one.delete(`${path}nobody`)).toMatchObject(isMissing);
      expect(await generation()).toEqual([{ generation: 0 }]);
      expect(await rowsOf('deletion', 'true')).toBe(0);
      // So nobody is told to send again.
      expect(await send(one, batchOf(1, 'pro', 'a'))).toEqual([]);

      const { id } = (await one.delete<DeletionAnswer>(`${path}pro`)).body;
      expect(await generation()).toEqual([{ generation: 1 }]);
      await giveUp(id);
      for (const server of [one, other]) expect((await server.delete<DeletionAnswer>(`${path}pro`)).body.id).toBe(id);
      expect(await generation()).toEqual([{ generation: 1 }]);
      expect((await carryOut(id)).status).toBe('done');
      expect(await Promise.all([one, other].map((server) => server.delete(`${path}pro`)))).toMatchObject([isMissing, isMissing]);
      expect(await generation()).toEqual([{ generation: 1 }]);
      // A process alone is enough.
      expect((await one.delete('/api/v1/services/made/data?label=pod&value=a')).status).toBe(202);
      expect(await generation()).toEqual([{ generation: 2 }]);
    });
  });

  it.each(['?label=plan', '?value=pro', '?label=&value=pro', '?from=0&until=60000&label=plan&value=pro', ''])(
    'refuses %s, and a service that is not there',
    async (query) => {
      await withServers(async (one) => {
        expect(await one.delete(`/api/v1/services/made/data${query}`)).toMatchObject({
          status: 400,
          body: { code: 'REQUEST_INVALID' },
        });
        expect(await one.delete('/api/v1/services/made/data?label=plan&value=pro')).toMatchObject({
          status: 404,
          body: { code: 'SERVICE_NOT_FOUND' },
        });
      });
    },
  );
});
