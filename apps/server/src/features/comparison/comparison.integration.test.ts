import { PROFILE_TYPE_IDS, parseProfileTypeId } from '@hearth/profile-model';
import { profileFromText } from '@hearth/profile-model/testing';
import type { ComparisonAnswer, Problem } from '@hearth/query-contract';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer } from '../../../../../test/support/server.js';
import { QueryServer, type StoredFlush } from '../../../../../test/support/query-server.js';
import { ComparisonRunner } from './comparison-runner.js';
import { ComparisonRepository } from './comparison.repository.js';
import { parseComparisonId } from './comparison-id.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';

const T = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;
const MINUTES = 12;
const PROCESSES = 4;

/** Half a second of CPU a minute and process; `cartMicros` of it in sort(), for 100 requests. */
function flushes(revision: string, cartMicros: number): StoredFlush[] {
  return Array.from({ length: PROCESSES * MINUTES }, (_, row) => {
    const [process, minute] = [row % PROCESSES, Math.floor(row / PROCESSES)];
    const cart = cartMicros + 1000 * ((row * 7) % 5);
    return {
      revision,
      process: `${revision}-${process}`,
      startMs: T + minute * MINUTE,
      durationMs: MINUTE,
      transactions: [{ labels: { transaction: 'GET /cart' }, durationsMicros: Array.from({ length: 100 }, () => 4000) }],
      profiles: [
        profileFromText(`
        ${cart}x${Math.round(cart / 10_000)}  ${200_000 + row * 10}x20   50000x5
        {transaction=GET /cart}               {transaction=GET /cart}    {}
        main                                  main                       main
        sort                                  render                     poll
      `),
      ],
    };
  });
}

const heapFlush = (revision: string, process: string, minute: number, bytes: number): StoredFlush => ({
  revision,
  process,
  startMs: T + minute * MINUTE + 50_000,
  profiles: [
    profileFromText(
      `
    ${bytes}
    cache
  `,
      { type: parseProfileTypeId(PROFILE_TYPE_IDS.inuse_space) },
    ),
  ],
});

let postgres: TestPostgres;
let api: QueryServer;
let databaseUrl: string;
const workers: QueryServer[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
  databaseUrl = await postgres.createDatabase();
  api = await QueryServer.start(databaseUrl, 'api');
  await api.store(...flushes('r1', 200_000), ...flushes('r2', 320_000));
  // r1-0 holds 800 bytes for 10 s and 1,200 for another 10 s: on average 1,000.
  await api.store(
    heapFlush('r1', 'r1-0', 0, 800),
    heapFlush('r1', 'r1-0', 1, 1200),
    heapFlush('r2', 'r2-0', 0, 2000),
    heapFlush('r2', 'r2-1', 0, 3000),
  );
  await api.store({
    service: 'other',
    startMs: T,
    profiles: [
      profileFromText(`
    1
    a
  `),
    ],
  });
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});
afterAll(async () => {
  await api?.stop();
  await postgres?.stop();
});

const startWorker = async () => {
  workers.push(await QueryServer.start(databaseUrl, 'worker'));
};
const side = (revision: string, untilMinutes = MINUTES) => ({
  service: 'shop',
  revision,
  from: String(T),
  until: String(T + untilMinutes * MINUTE),
});
const ask = async (baseline: object, candidate: object) =>
  (await api.post<ComparisonAnswer>('/api/v1/comparisons', { baseline, candidate })).body;
const read = async (id: string) => (await api.get<ComparisonAnswer>(`/api/v1/comparisons/${id}`)).body;
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const giveUpMs = Date.now() + 60_000; !(await isSo()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() > giveUpMs) throw new Error('waited for a minute in vain');
  }
}
async function untilDone(id: string): Promise<ComparisonAnswer> {
  for (const giveUpMs = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const answer = await read(id);
    if (answer.status === 'done' || answer.status === 'failed') return answer;
    if (Date.now() > giveUpMs) throw new Error(`comparison ${id} is still ${answer.status}`);
  }
}

describe('a comparison', () => {
  it('waits while there is no worker, and is computed by the first that comes', async () => {
    const asked = await api.post<ComparisonAnswer>('/api/v1/comparisons', { baseline: side('r1'), candidate: side('r2') });
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ status: 'pending', result: null, error: null, baseline: { revision: 'r1', fromMs: T } });
    expect((await read(asked.body.id)).status).toBe('pending');

    await startWorker();
    const { status, result, error } = await untilDone(asked.body.id);
    expect(error).toBeNull();
    expect(status).toBe('done');
    expect(result!.baseline).toMatchObject({ processes: PROCESSES, transactions: PROCESSES * MINUTES * 100 });
    const sort = result!.functions.find((row) => row.function.name === 'sort' && row.metric === 'self')!;
    expect(sort.change.deltaPct).toBeGreaterThan(45);
    expect(sort.change.deltaPct).toBeLessThan(75);
    expect(sort.change.verdict).toBe('REGRESSED');
    const alarms = result!.functions
      .filter((row) => row.change.verdict === 'REGRESSED' && row.metric === 'self')
      .map((row) => row.function.name);
    expect(new Set(alarms)).toEqual(new Set(['sort']));
  });

  it('has one id while its inputs are unchanged, and another after a batch', async () => {
    const sides = [{ service: 'shop', revision: 'r1', from: String(T), until: String(T + 20 * MINUTE) }, side('r2')] as const;
    const first = await ask(...sides);
    expect((await ask(...sides)).id).toBe(first.id);
    expect((await ask(sides[1], sides[0])).id).not.toBe(first.id);
    await api.store({
      revision: 'r1',
      process: 'r1-0',
      startMs: T + 15 * MINUTE,
      profiles: [
        profileFromText(`
      1
      main
    `),
      ],
    });
    expect((await ask(...sides)).id).not.toBe(first.id);
  });

  it('is computed once by two workers, and again to the same bytes', async () => {
    const { id } = await ask(side('r1', 10), side('r2', 10));
    await Promise.all([startWorker(), startWorker()]);
    await untilDone(id);
    const repository = new ComparisonRepository(api.app.get(DataSource));
    const key = parseComparisonId(id)!;
    expect((await repository.find(key))!.attempts).toBe(1);
    const bytes = await repository.findResult(key);
    await api.app.get(DataSource).query(`UPDATE comparison SET status = 'pending', result = NULL WHERE id = $1`, [id]);
    await untilDone(id);
    expect(await repository.findResult(key)).toEqual(bytes);
  });

  it('left half-way by a worker that died is finished by another', async () => {
    const { id } = await ask(side('r1', 9), side('r2', 9));
    await new ComparisonRepository(api.app.get(DataSource)).claim(parseComparisonId(id)!, 'dead', 300);
    expect((await read(id)).status).toBe('running');
    await startWorker();
    expect((await untilDone(id)).status).toBe('done');
  });

  it('whose worker is killed in the middle is finished by another', async () => {
    const { id } = await ask(side('r1', 7), side('r2', 7));
    const worker = await startTestServer({ role: 'worker', databaseUrl });
    // Holds the worker where it reads its second half.
    const holder = api.app.get(DataSource).createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE transaction_window IN ACCESS EXCLUSIVE MODE');
    try {
      await until(async () => (await read(id)).status === 'running');
      await worker.kill();
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    expect((await read(id)).status).toBe('running');
    await startWorker();
    expect((await untilDone(id)).status).toBe('done');
    expect((await new ComparisonRepository(api.app.get(DataSource)).find(parseComparisonId(id)!))!.attempts).toBe(2);
  });

  it('of the heap is shown per process, without a verdict', async () => {
    const asked = await ask({ ...side('r1'), type: 'inuse_space' }, { ...side('r2'), type: 'inuse_space' });
    await startWorker();
    const { result } = await untilDone(asked.id);
    expect(result).toMatchObject({
      kind: 'level',
      unit: 'bytes',
      basis: 'per-process',
      baseline: { processes: 1 },
      candidate: { processes: 2 },
    });
    const cache = result!.functions.find((row) => row.function.name === 'cache' && row.metric === 'self')!;
    expect(cache.change).toMatchObject({ baseline: 1000, candidate: 2500, verdict: 'NO_VERDICT' });
    const refused = await api.post<Problem>('/api/v1/comparisons', {
      baseline: { ...side('r1'), type: 'inuse_space', transaction: 'GET /cart' },
      candidate: { ...side('r2'), type: 'inuse_space' },
    });
    expect(refused.body.code).toBe('HEAP_HAS_NO_LABELS');
  });

  it('fails with what stopped it, after as many tries as it has', async () => {
    const { id } = await ask(side('r1', 8), side('r2', 8));
    const repository = new ComparisonRepository(api.app.get(DataSource));
    const runner = new ComparisonRunner(
      repository,
      api.app.get(WorkerPool),
      () => Promise.reject(new Error('the disk is full')),
      { maxAttempts: 2 },
    );
    await expect(runner.run(parseComparisonId(id)!)).rejects.toThrow('the disk is full');
    expect((await read(id)).status).toBe('pending');
    await expect(runner.run(parseComparisonId(id)!)).rejects.toThrow('the disk is full');
    expect(await read(id)).toMatchObject({ status: 'failed', error: { code: 'COMPARISON_FAILED' } });
    expect((await ask(side('r1', 8), side('r2', 8))).status).toBe('pending');
  });

  it('fails, without another try, when the worker died in every one', async () => {
    const { id } = await ask(side('r1', 6), side('r2', 6));
    const repository = new ComparisonRepository(api.app.get(DataSource));
    const key = parseComparisonId(id)!;
    for (const worker of ['first', 'second']) await repository.claim(key, worker, 0);
    let tries = 0;
    const gather = () => {
      tries += 1;
      return Promise.reject(new Error('killed'));
    };
    await new ComparisonRunner(repository, api.app.get(WorkerPool), gather, { maxAttempts: 2 }).run(key);
    expect(tries).toBe(0);
    expect(await read(id)).toMatchObject({ status: 'failed', error: { code: 'COMPARISON_FAILED' } });
    expect(await repository.listUnattended(100)).not.toContainEqual(expect.objectContaining(key));
  });

  it('of an open end is of the moment it was asked', async () => {
    const { baseline } = await ask({ service: 'shop', revision: 'r1', from: 'now-1h', until: 'now' }, side('r2'));
    expect(baseline.untilMs % MINUTE).toBe(0);
    expect(Math.abs(baseline.untilMs - Date.now())).toBeLessThanOrEqual(MINUTE);
  });
});

describe('a comparison that cannot be', () => {
  it.each([
    ['two services', side('r1'), { ...side('r2'), service: 'other', revision: '' }, 400, 'COMPARISON_SERVICES_DIFFER'],
    ['a service that is not there', side('r1'), { service: 'nobody' }, 404, 'SERVICE_NOT_FOUND'],
    ['a revision that is not there', side('r1'), side('r3'), 404, 'REVISION_NOT_FOUND'],
    ['half a question', side('r1'), undefined, 400, 'REQUEST_INVALID'],
  ])('%s', async (_, baseline, candidate, status, code) => {
    const answer = await api.post<Problem>('/api/v1/comparisons', { baseline, candidate });
    expect(answer).toMatchObject({ status, body: { code } });
  });

  it.each(['nothing', '__proto__', 'c1-000000000000000000000000', "c1' OR '1'='1"])('is not found: %s', async (id) => {
    const answer = await api.get<Problem>(`/api/v1/comparisons/${encodeURIComponent(id)}`);
    expect([answer.status, answer.body.code]).toEqual([404, 'COMPARISON_NOT_FOUND']);
  });
});
