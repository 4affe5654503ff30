import { profileFromText } from '@hearth/profile-model/testing';
import type {
  ComparisonAnswer,
  FlameGraphAnswer,
  FunctionsAnswer,
  PinAnswer,
  ProcessAnswer,
  RetentionEstimateAnswer,
  RevisionAnswer,
  TimelineAnswer,
  TransactionsAnswer,
} from '@hearth/query-contract';
import type { ComparisonResult } from '@hearth/profile-diff';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { until } from '../../../../../test/support/until.js';
import { Queues, Ticks } from '../../platform/queue/index.js';
import { Catalog } from '../catalog/index.js';
import { ComparisonWork } from '../comparison/comparison-work.js';
import { LEVELS, WindowRepository } from '../profile-store/index.js';
import { RollupWork, SegmentBuilder, UpperBuilder } from '../rollup/index.js';
import { epochOf, epochOfPinned, StackDictionaries } from '../stacks/index.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions } from './deletions.repository.js';
import { RetentionWork } from './retention-work.js';
import { Retention } from './retention.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const NOW = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
/** Noon of the day on which two releases ran: in another month, and long past. */
const OLD = NOW - 70 * DAY;
const OLD_DAY = { fromMs: OLD - DAY / 2, untilMs: OLD + DAY / 2 };
const NEW = NOW - 2 * HOUR;
const FLUSHES = 60;
const read = (micros: number) =>
  profileFromText(`
  ${`${micros * 4}x4`.padEnd(23)}3000x3                 1000x1
  {transaction=GET /}    {transaction=GET /}    {}
  main                   main                   main
  read                   sort                   wait
`);

let postgres: TestPostgres;
let server: QueryServer;
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });
const count = async (from: string): Promise<number> =>
  ((await of(DataSource).query(`SELECT count(*) AS n FROM ${from}`)) as { n: number }[])[0]!.n;

beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  await of(Ticks).beforeApplicationShutdown(); // from here on only the test builds and forgets
  await store('pinned', OLD, 1000);
  await store('forgotten', OLD, 1000);
  await store('new', NEW, 1800);
  const days = { minutes: 1, hours: 2, days: 30, transactions: 1, series: 1, comparisons: 30 };
  await of(Retention).setPolicy(1, days);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

/** Four processes of one release, each with as many flushes and transactions. */
async function store(revision: string, fromMs: number, micros: number): Promise<void> {
  for (let flush = 0; flush < FLUSHES; flush += 1)
    await server.store({
      revision,
      process: `${revision}${flush % 4}`,
      startMs: fromMs + Math.floor(flush / 4) * MINUTE,
      profiles: [read(micros + (flush % 4) * 10)],
      transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: [5000, 7000 + flush] }],
    });
}

/** Builds and forgets until it is as it would be after some days. */
async function forget(isDone: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    const windows = of(WindowRepository);
    for (const key of await windows.listPending(NOW, 1000)) await of(SegmentBuilder).build(key);
    for (const level of [LEVELS.hour, LEVELS.day])
      for (const key of await windows.listPending(NOW, 1000, level)) await of(UpperBuilder).build(level, key);
    await of(RetentionWork).expire(NOW);
    return (await isDone()) || undefined;
  });
}

const flameGraph = async (revision: string, range: string) =>
  server.get<FlameGraphAnswer>(`/api/v1/flame-graph?service=shop&revision=${revision}&${range}`);

async function compare(): Promise<ComparisonAnswer> {
  await of(DataSource).query('DELETE FROM comparison');
  const asked = await server.post<ComparisonAnswer>('/api/v1/comparisons', {
    baseline: { service: 'shop', revision: 'pinned', from: '0' },
    candidate: { service: 'shop', revision: 'new', from: String(NOW - DAY / 2), until: String(NOW + DAY / 2) },
  });
  expect(asked.status).toBe(202);
  await of(ComparisonWork).queueUnattended(); // its tick has stopped
  return until(async () => {
    const { body } = await server.get<ComparisonAnswer>(`/api/v1/comparisons/${asked.body.id}`);
    return body.status === 'done' || body.status === 'failed' ? body : undefined;
  });
}

describe('a pinned revision', () => {
  let comparedBefore: unknown;

  it('is pinned and seen by an admin, once, and seen by readers', async () => {
    const key = (await server.post<{ key: string }>('/api/v1/api-keys', { name: 'reader', kind: 'read' })).body.key;
    const path = '/api/v1/services/shop/revisions/pinned/pin';
    expect((await server.put(path, undefined, key)).status).toBe(403);
    expect((await server.delete(path, key)).status).toBe(403);
    const pinned = await server.put<PinAnswer>(path, undefined);
    expect(pinned).toMatchObject({ status: 200, body: { service: 'shop', revision: 'pinned' } });
    expect((await server.put<PinAnswer>(path, undefined)).body).toEqual(pinned.body);
    const { body } = await server.get<RevisionAnswer[]>('/api/v1/services/shop/revisions');
    expect(Object.fromEntries(body.map(({ revision, pinnedMs }) => [revision, pinnedMs]))).toEqual({
      pinned: pinned.body.pinnedMs,
      forgotten: null,
      new: null,
    });
    for (const [unknown, code] of [
      ['/api/v1/services/shpo/revisions/pinned/pin', 'SERVICE_NOT_FOUND'],
      ['/api/v1/services/shop/revisions/pined/pin', 'REVISION_NOT_FOUND'],
    ] as const) {
      expect(await server.put(unknown, undefined)).toMatchObject({ status: 404, body: { code } });
      expect(await server.delete(unknown)).toMatchObject({ status: 404, body: { code } });
    }
  });

  it('is one of a hundred of its service at most', async () => {
    const pin = async (n: number) => server.put(`/api/v1/services/many/revisions/r${n}/pin`, undefined);
    for (let n = 0; n <= 100; n += 1) {
      const deploy = { service: 'many', environment: 'production', revision: `r${n}` };
      expect((await server.post('/api/v1/deploys', deploy)).status).toBe(201);
    }
    for (let n = 0; n < 99; n += 1) expect((await pin(n)).status).toBe(200);
    // Two for the last place.
    const answers = await Promise.all([pin(99), pin(100)]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
    expect(answers.find(({ status }) => status === 400)!.body).toMatchObject({ code: 'TOO_MANY_PINS' });
    expect((await server.delete('/api/v1/services/many/revisions/r5/pin')).status).toBe(204);
    expect((await pin(answers[0]!.status === 400 ? 99 : 100)).status).toBe(200);
  });

  it('answers after its days are past what it answered before, and its month is gone', async () => {
    const range = `from=${OLD}&until=${OLD + HOUR}`;
    const serviceId = (await of(Catalog).findService(1, 'shop'))!.id;
    const revisionId = (await of(Catalog).revisions(serviceId)).find(({ name }) => name === 'pinned')!.id;
    const before = await flameGraph('pinned', range);
    expect(before.body.sum).toBe(FLUSHES * 4000 + FLUSHES * 4 * 15 + FLUSHES * 4000);
    const transactions = async () =>
      (
        await server.get<TransactionsAnswer>(
          `/api/v1/transactions?service=shop&revision=pinned&from=${OLD_DAY.fromMs}&until=${OLD_DAY.untilMs}`,
        )
      ).body;
    const counted = (await transactions()).transactions;
    expect(counted).toMatchObject([{ count: 2 * FLUSHES }]);

    comparedBefore = (await compare()).result;
    expect(comparedBefore).not.toBeNull();
    await forget(async () => (await count(`day_window WHERE window_start_ms < ${OLD_DAY.untilMs}`)) === 0);
    await forget(async () => (await count(`transaction_window WHERE window_start_ms < ${OLD_DAY.untilMs}`)) === 0);
    await of(RollupWork).dropBuiltPartitions(Date.now() + 3 * HOUR);
    await of(RollupWork).dropEmptyPartitions();
    const month = epochOf(OLD);
    await forget(async () => (await count(`stack_page WHERE epoch = ${month}`)) === 0);
    expect(
      (await of(StackDictionaries).listEpochs()).filter((one) => one.serviceId === serviceId).map(({ epoch }) => epoch),
    ).toEqual([epochOfPinned(revisionId), epochOf(NEW)]);

    const after = await flameGraph('pinned', range);
    expect(after.body.selection).toMatchObject(OLD_DAY);
    expect({ ...after.body, selection: undefined }).toEqual({ ...before.body, selection: undefined });
    expect((await flameGraph('pinned', 'from=0')).body).toMatchObject({ sum: before.body.sum, selection: OLD_DAY });
    const functions = await server.get<FunctionsAnswer>('/api/v1/functions?service=shop&revision=pinned&from=0');
    expect(functions.body).toMatchObject({ sum: before.body.sum, count: 4 });
    expect((await transactions()).transactions).toEqual(counted);
    expect((await flameGraph('forgotten', range)).body.sum).toBe(0);
    expect((await flameGraph('forgotten', 'from=0')).body).toMatchObject({ code: 'RANGE_TOO_LONG' });
  });

  it('is told apart by process, and by the day whatever step is asked for', async () => {
    const path = `/api/v1/timeline?service=shop&revision=pinned&groupBy=process&stepMs=60000&from=${OLD}&until=${OLD + HOUR}`;
    const { body } = await server.get<TimelineAnswer>(path);
    expect(body).toMatchObject({ stepMs: DAY, startsMs: [OLD_DAY.fromMs] });
    const ofEach = [0, 10, 20, 30].map((more) => (FLUSHES / 4) * (4 * (1000 + more) + 4000));
    expect(new Set(body.series.flatMap(({ values }) => values))).toEqual(new Set(ofEach));
    const { body: processes } = await server.get<ProcessAnswer[]>('/api/v1/services/shop/processes');
    expect([...new Set(processes.map(({ revision }) => revision))].sort()).toEqual(['new', 'pinned']);
  });

  it('is compared with a new release per transaction', async () => {
    const { baseline, result } = await compare();
    expect(baseline).toMatchObject(OLD_DAY);
    expect(result).toEqual(comparedBefore);
    const { basis, functions, warnings } = result as ComparisonResult;
    expect([basis, warnings]).toEqual(['per-transaction', []]);
    const ofRead = functions.find(
      ({ function: { name }, metric, transaction }) => name === 'read' && metric === 'self' && transaction === null,
    );
    expect(ofRead!.change.baseline).toBeCloseTo((4 * 1015) / 2);
    expect(ofRead!.change.candidate).toBeCloseTo((4 * 1815) / 2);
  });

  it('shows what it takes, and takes nothing once it is pinned no more', async () => {
    const estimate = async () => (await server.post<RetentionEstimateAnswer>('/api/v1/retention/estimate', {})).body.pins;
    expect((await estimate()).rows).toBe(1 + 4); // a day, and its transactions of four processes
    expect((await estimate()).bytes).toBeGreaterThan(1000);
    expect((await server.delete('/api/v1/services/shop/revisions/pinned/pin')).status).toBe(204);
    expect((await flameGraph('pinned', `from=${OLD}&until=${OLD + HOUR}`)).body.sum).toBe(0);
    await of(RetentionWork).expire(NOW);
    expect(await estimate()).toEqual({ rows: 0, bytes: 0 });
    expect(await count(`pg_inherits WHERE inhparent IN ('pinned_totals'::regclass, 'pinned_transaction'::regclass)`)).toBe(0);
    expect(await count('stack_page WHERE epoch < 0')).toBe(0);
    expect(await count('process')).toBe(4);
  });

  it('is looked after when what is past has been merged, and a queue that is away stops nothing else', async () => {
    await server.put('/api/v1/services/shop/revisions/new/pin', undefined);
    const later = NOW + 3 * DAY;
    for (const key of await of(WindowRepository).listPending(later, 1000)) await of(SegmentBuilder).build(key);
    for (const level of [LEVELS.hour, LEVELS.day])
      for (const key of await of(WindowRepository).listPending(later, 1000, level)) await of(UpperBuilder).build(level, key);
    expect(await count('day_window WHERE NOT is_sealed')).toBeGreaterThan(0);
    const queues = of(Queues);
    const add = queues.add.bind(queues);
    const openDays: number[] = [];
    queues.add = async () => {
      openDays.push(await count('day_window WHERE NOT is_sealed'));
      throw new Error('away');
    };
    await expect(of(RetentionWork).expire(later)).rejects.toThrow('away');
    queues.add = add;
    expect(openDays).toEqual([0]);
  });

  it('goes with its service', async () => {
    await server.put('/api/v1/services/shop/revisions/new/pin', undefined);
    const later = NOW + 60 * DAY;
    await until(async () => {
      await of(RetentionWork).expire(later);
      for (const key of await of(WindowRepository).listPending(later, 1000, LEVELS.day))
        await of(UpperBuilder).build(LEVELS.day, key);
      return ((await count('pinned_totals')) > 0 && (await count('pinned_transaction')) > 0) || undefined;
    });
    const serviceId = (await of(Catalog).findService(1, 'shop'))!.id;
    const selector = { kind: 'service' } as const;
    const order = await of(Deletions).add({ projectId: 1, serviceId, service: 'shop', selector });
    await of(DeletionRun).run(order, 100);
    for (const table of ['pinned_totals', 'pinned_transaction', `pinned_revision WHERE service_id = ${serviceId}`, 'stack_head'])
      expect([table, await count(table)]).toEqual([table, 0]);
  });
});
