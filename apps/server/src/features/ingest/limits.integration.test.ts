import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { labelSet } from '@hearth/profile-model';
import type { LimitsAnswer } from '@hearth/query-contract';
import { BATCH_CONTENT_TYPE, encodeBatch, type Batch } from '@hearth/wire-format';
import type { DataSource, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeBatch } from '../../../../../test/support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';
import { connectDataSource } from '../../platform/database/index.js';

const MAX_PENDING_WINDOWS = 40;
let postgres: TestPostgres;
let server: TestServer;
let database: DataSource;

beforeAll(async () => {
  postgres = await startTestPostgres();
  // No worker: what is pending stays so.
  server = await startTestServer({
    role: 'api',
    databaseUrl: postgres.url,
    env: { MAX_PENDING_WINDOWS: String(MAX_PENDING_WINDOWS), TICK_MS: '50' },
  });
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await server?.stop();
  await postgres?.stop();
});

/** A project of its own, with a quota. @returns An admin key of it. */
async function projectWith(name: string, quota: Partial<LimitsAnswer['quota']>): Promise<string> {
  const key = `admin-key-of-${name}-0123456789`;
  await database.query(
    `WITH made AS (INSERT INTO project (name, created_ms) VALUES ($1, 0) RETURNING id)
     INSERT INTO api_key (project_id, name, kind, key_hash, prefix, created_ms) SELECT id, 'k', 'admin', $2, '', 0 FROM made`,
    [name, createHash('sha256').update(key).digest()],
  );
  expect((await putLimits(key, quota)).status).toBe(200);
  return key;
}

function putLimits(key: string, quota: object): Promise<Response> {
  return fetch(`${server.url}/api/v1/limits`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(quota),
  });
}

async function limitsOf(key: string): Promise<LimitsAnswer> {
  const answer = await fetch(`${server.url}/api/v1/limits`, { headers: { authorization: `Bearer ${key}` } });
  return (await answer.json()) as LimitsAnswer;
}

/** Without the times, which are checked once. */
async function hitsOf(key: string) {
  return (await limitsOf(key)).hits.map(({ service, code, outcome, count }) => ({ service, code, outcome, count }));
}

const processId = (n: number): string => String(n).padStart(32, '0');

function batchOf(change: {
  service?: string;
  process?: number;
  sequence?: number;
  transaction?: string;
  /** Of the samples, besides the transaction. */
  labels?: Readonly<Record<string, string>>;
  report?: Partial<Batch['report']>;
}): Uint8Array {
  const { service = 'shop', process = 1, sequence = 1, transaction = 'GET /', labels = {}, report = {} } = change;
  const made = madeBatch({ processId: processId(process), sequence, startMs: Date.now() - 20_000 });
  return encodeBatch({
    ...made,
    process: { ...made.process, service },
    labelSets: [labelSet({ ...labels, transaction })],
    report: { ...made.report, ...report },
  });
}

async function send(key: string, body: Uint8Array) {
  const answer = await fetch(`${server.url}/api/v1/batches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': BATCH_CONTENT_TYPE },
    body: Buffer.from(body),
  });
  const json = (await answer.json()) as { code?: string; accepted?: number; duplicates?: number };
  return { status: answer.status, ...json, retryAfterSeconds: Number(answer.headers.get('retry-after') ?? Number.NaN) };
}

describe('the limits of a project', () => {
  it('are shown with their defaults, changed one by one, and given back', async () => {
    const key = await projectWith('changes', { services: 3 });
    const shown = await limitsOf(key);
    expect(shown).toEqual({
      quota: {
        profilesPerMinute: null,
        bytesPerMinute: null,
        services: 3,
        environmentsPerService: 1_000,
        releasesPerService: 1_000,
        processesPerService: 20_000,
        labelSetsPerService: 100_000,
        transactionNamesPerService: 5_000,
      },
      hits: [],
    });
    await putLimits(key, { bytesPerMinute: 7 });
    expect((await limitsOf(key)).quota).toEqual({ ...shown.quota, bytesPerMinute: 7 });
    await putLimits(key, { services: null, bytesPerMinute: null });
    expect((await limitsOf(key)).quota).toEqual({ ...shown.quota, services: 1_000 });
    expect((await putLimits(key, { service: 3 })).status).toBe(400); // a name that is none
    expect((await putLimits(key, { services: 0 })).status).toBe(400);
  });

  it('refuse a service beyond, and count without writing down its name', async () => {
    const key = await projectWith('services', { services: 2 });
    for (const service of ['a', 'b', 'a']) expect((await send(key, batchOf({ service, sequence: Date.now() }))).status).toBe(202);
    expect(await send(key, batchOf({ service: 'c' }))).toMatchObject({ status: 400, code: 'TOO_MANY_SERVICES' });
    expect(await hitsOf(key)).toEqual([{ service: '', code: 'TOO_MANY_SERVICES', outcome: 'refused', count: 1 }]);
    await putLimits(key, { services: 3 });
    expect((await send(key, batchOf({ service: 'c' }))).status).toBe(202);
  });

  it('write down the name of a service only where there is one: made up ones must not fill the table', async () => {
    const key = await projectWith('made-up-names', {});
    const made = madeBatch({ processId: processId(1), sequence: 1, startMs: Date.now() - 20_000 });
    const ofService = (service: string, change: Partial<Batch>) =>
      send(key, encodeBatch({ ...made, process: { ...made.process, service }, ...change }));
    for (const service of ['a', 'b'])
      expect(await ofService(service, { startMs: Date.now() - 8 * 86_400_000 })).toMatchObject({ code: 'BATCH_TOO_OLD' });
    const profiles = Array.from({ length: 51 }, (_, n) => ({ ...made.profiles[0]!, typeId: `type${n}:a:b:c:d` }));
    expect(await ofService('shop', { profiles })).toMatchObject({ code: 'TOO_MANY_PROFILE_TYPES' });
    expect(await hitsOf(key)).toEqual([
      { service: '', code: 'BATCH_TOO_OLD', outcome: 'refused', count: 2 },
      { service: 'shop', code: 'TOO_MANY_PROFILE_TYPES', outcome: 'refused', count: 1 },
    ]);
  });

  it('count what the database refuses under the code that senders get', async () => {
    const key = await projectWith('changed-schema', {});
    const upload = async () => {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${server.url}/api/v1/profiles?service=shop`, {
        method: 'POST',
        headers,
        body: 'main;work 7\n',
      });
      return (await answer.json()) as { code?: string };
    };
    await database.query('ALTER TABLE label_set RENAME TO label_set_away');
    const refused = await upload();
    await database.query('ALTER TABLE label_set_away RENAME TO label_set');
    expect(refused).toMatchObject({ code: 'SCHEMA_CHANGED' });
    expect(await hitsOf(key)).toEqual([{ service: '', code: 'SCHEMA_CHANGED', outcome: 'refused', count: 1 }]);
  });

  it('fold a process beyond into __other__: its samples stay, once, and it is counted', async () => {
    const key = await projectWith('processes', { processesPerService: 2 });
    for (const process of [1, 2, 3, 4]) expect((await send(key, batchOf({ process }))).accepted).toBe(1);
    expect((await send(key, batchOf({ process: 3 }))).duplicates).toBe(1); // another process has the same sequence
    expect((await send(key, batchOf({ process: 1, sequence: 2 }))).accepted).toBe(1); // a known one is no new one
    const rows = (await database.query(
      `SELECT process.host, count(*) AS blocks, (SELECT count(*) FROM process_series WHERE process_series.service_id = process.service_id AND process_id = process.id) AS series
       FROM block JOIN process ON process.service_id = block.service_id AND process.id = process_id JOIN service ON service.id = process.service_id
       JOIN project ON project.id = project_id WHERE project.name = 'processes' GROUP BY process.service_id, process.id, process.host ORDER BY process.id`,
    )) as object[];
    expect(rows).toEqual([
      { host: 'here', blocks: 2, series: 2 },
      { host: 'here', blocks: 1, series: 1 },
      { host: '__other__', blocks: 2, series: 0 },
    ]);
    expect(await hitsOf(key)).toEqual([
      { service: 'shop', code: 'PROCESSES_FOLDED', outcome: 'folded', count: 2 },
      { service: 'shop', code: 'PROCESS_SERIES_DROPPED', outcome: 'dropped', count: 2 },
    ]);
  });

  it('fold label sets and transaction names beyond, and show what the agents gave up', async () => {
    const key = await projectWith('names', { transactionNamesPerService: 2, labelSetsPerService: 4 });
    for (const [at, transaction] of ['GET /a', 'GET /b', 'GET /c', 'GET /a'].entries())
      expect((await send(key, batchOf({ sequence: at + 1, transaction }))).accepted).toBe(1);
    // With __other__ there are three sets.
    for (const [at, plan] of ['pro', 'free'].entries())
      expect((await send(key, batchOf({ sequence: at + 5, transaction: 'GET /a', labels: { plan } }))).accepted).toBe(1);
    const losing = { droppedBatches: 3, droppedSamples: 40, foldedLabelSets: 5 };
    for (let times = 0; times < 2; times += 1) await send(key, batchOf({ sequence: 9, transaction: 'GET /b', report: losing }));
    const beforeMs = Date.now();
    expect(await hitsOf(key)).toEqual([
      { service: 'shop', code: 'AGENT_BATCHES_DROPPED', outcome: 'dropped', count: 3 },
      { service: 'shop', code: 'AGENT_LABEL_SETS_FOLDED', outcome: 'folded', count: 5 },
      { service: 'shop', code: 'AGENT_SAMPLES_DROPPED', outcome: 'dropped', count: 40 },
      { service: 'shop', code: 'LABEL_SETS_FOLDED', outcome: 'folded', count: 1 },
      { service: 'shop', code: 'TRANSACTION_NAMES_FOLDED', outcome: 'folded', count: 1 },
    ]);
    await send(key, batchOf({ sequence: 10, transaction: 'GET /d' }));
    const [hit] = (await limitsOf(key)).hits.filter(({ code }) => code === 'TRANSACTION_NAMES_FOLDED');
    expect(hit!.count).toBe(2);
    expect(hit!.firstMs).toBeLessThan(beforeMs);
    expect(hit!.lastMs).toBeGreaterThanOrEqual(beforeMs);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/limit_hits_total\{code="TRANSACTION_NAMES_FOLDED",outcome="folded"\} 2/);
  });

  it('say 429 and when to come back once the rate is spent, of profiles and of bytes', async () => {
    const byProfiles = await projectWith('profiles-a-minute', { profilesPerMinute: 2 });
    for (const sequence of [1, 2]) expect((await send(byProfiles, batchOf({ sequence }))).accepted).toBe(1);
    const refused = await send(byProfiles, batchOf({ sequence: 3 }));
    expect(refused).toMatchObject({ status: 429, code: 'QUOTA_SPENT' });
    expect(refused.retryAfterSeconds).toBeGreaterThan(20); // two a minute: the next in half a minute
    expect(refused.retryAfterSeconds).toBeLessThanOrEqual(30);
    expect(await hitsOf(byProfiles)).toEqual([{ service: '', code: 'QUOTA_SPENT', outcome: 'refused', count: 1 }]);

    // Less than one body: it is let in while anything is left, and then paid back for minutes.
    const byBytes = await projectWith('bytes-a-minute', { bytesPerMinute: 30 });
    expect((await send(byBytes, batchOf({}))).accepted).toBe(1);
    expect(await send(byBytes, batchOf({ sequence: 2 }))).toMatchObject({ status: 429, code: 'QUOTA_SPENT' });
    expect((await send(await projectWith('another', {}), batchOf({}))).accepted).toBe(1);
  });
});

describe('back-pressure', () => {
  it('refuses a project whose batches wait for the database for too long, not another one; all that waited is stored', async () => {
    const [flooding, quiet] = [await projectWith('flooding', {}), await projectWith('quiet', {})];
    for (const key of [flooding, quiet]) expect((await send(key, batchOf({}))).accepted).toBe(1);
    const release = await lock('batch_receipt');
    // Two database transactions hang in the lock; a third group waits for its turn.
    const sent: Promise<{ status: number; accepted?: number }>[] = [];
    for (let sequence = 10; sequence < 16; sequence += 1) {
      sent.push(send(flooding, batchOf({ sequence })));
      await sleep(50);
    }
    await sleep(5_200);
    expect(await send(flooding, batchOf({ sequence: 20 }))).toMatchObject({
      status: 429,
      code: 'INGEST_BUSY',
      retryAfterSeconds: 5,
    });
    const other = send(quiet, batchOf({ sequence: 10 }));
    expect(await Promise.race([other, sleep(300)])).toBeUndefined(); // taken in, waits for the database like everybody
    await release();
    expect((await other).accepted).toBe(1);
    expect((await Promise.all(sent)).map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await hitsOf(flooding)).toEqual([{ service: '', code: 'INGEST_BUSY', outcome: 'refused', count: 1 }]);
    expect((await send(flooding, batchOf({ sequence: 20 }))).accepted).toBe(1);
  });

  it('tells senders to wait while too many windows wait to be built, and goes on when they are', async () => {
    const key = await projectWith('behind', {});
    const pending = async () => {
      const rows = (await database.query('SELECT count(*) AS n FROM profile_window WHERE sequence > built_sequence')) as {
        n: number;
      }[];
      return rows[0]!.n;
    };
    const addPending = (count: number) =>
      database.query(
        // Of the minute that a batch has just come for: its partition is there.
        `INSERT INTO profile_window (service_id, profile_type_id, window_start_ms, revision_id, environment_id, sequence)
         SELECT 999, 1, (SELECT max(window_start_ms) FROM profile_window), n, 1, 1 FROM generate_series(1, $1::int) AS n`,
        [count],
      );
    expect((await send(key, batchOf({}))).accepted).toBe(1);
    await addPending(MAX_PENDING_WINDOWS - (await pending()));
    await sleep(500);
    expect((await send(key, batchOf({ sequence: 2 }))).accepted).toBe(1); // as many as there may be
    await database.query('UPDATE profile_window SET built_sequence = sequence WHERE service_id = 999');
    await database.query('DELETE FROM profile_window WHERE service_id = 999');
    await addPending(MAX_PENDING_WINDOWS + 1);
    await sleep(500);
    expect(await send(key, batchOf({ sequence: 3 }))).toMatchObject({
      status: 429,
      code: 'ROLLUP_BEHIND',
      retryAfterSeconds: 30,
    });
    await database.query('UPDATE profile_window SET built_sequence = sequence');
    await sleep(500);
    expect((await send(key, batchOf({ sequence: 3 }))).accepted).toBe(1);
  });
});

/** Nobody can write into the table until the answer is called. */
async function lock(table: string): Promise<() => Promise<void>> {
  const runner: QueryRunner = database.createQueryRunner();
  await runner.connect();
  await runner.startTransaction();
  await runner.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
  return async () => {
    await runner.commitTransaction();
    await runner.release();
  };
}
