import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionsRootFirst, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { ProfileStore1763600000001 } from '../../migrations/1763600000001-profile-store.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { Metrics } from '../../platform/observability/index.js';
import type { JobRunner, Queues, Ticks } from '../../platform/queue/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { ProcessSeries, ProcessSeriesRepository } from '../process-metrics/index.js';
import {
  BlockRepository,
  buildSegment,
  codedOutcome,
  mergeStoredProfiles,
  ProfileStore,
  ReceiptRepository,
  SegmentRepository,
  SnapshotRepository,
  windowStart,
  WindowRepository,
  type BatchToStore,
  type BuildSegmentTask,
  type MergeTask,
} from '../profile-store/index.js';
import { StackDictionaries, StackRepository } from '../stacks/index.js';
import { TransactionWindowRepository, TransactionWindows } from '../transactions/index.js';
import { Cover, type CoverQuery, type MergePool } from './cover.js';
import { RollupMetrics } from './rollup-metrics.js';
import { RollupWork } from './rollup-work.js';
import { SegmentBuilder } from './segment-builder.js';

const START = 1_763_600_040_000; // a whole minute
const MINUTES = 4;
const END = START + MINUTES * 60_000;
const SERVICE = 1;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

/** The work of the pool, in this thread. */
const inlinePool = {
  run: async (_file: string, task: MergeTask | BuildSegmentTask) =>
    codedOutcome<unknown>(() => ('want' in task ? mergeStoredProfiles(task) : buildSegment(task))),
} as unknown as WorkerPool;

interface Server {
  readonly dataSource: DataSource;
  readonly store: ProfileStore;
  readonly dictionaries: StackDictionaries;
  readonly windows: WindowRepository;
  readonly blocks: BlockRepository;
  readonly builder: SegmentBuilder;
  readonly cover: Cover;
  readonly work: RollupWork;
  /** Payloads of queued jobs. */
  readonly queued: readonly unknown[];
  close(): Promise<void>;
}
const servers: Server[] = [];

async function startServer(url: string, pool: MergePool = inlinePool): Promise<Server> {
  const dataSource = await connectDataSource({ url, poolSize: 12 });
  const windows = new WindowRepository(dataSource);
  const blocks = new BlockRepository(dataSource);
  const dictionaries = new StackDictionaries(new StackRepository(dataSource));
  const store = new ProfileStore(
    dataSource,
    new ReceiptRepository(),
    windows,
    blocks,
    new TransactionWindows(new TransactionWindowRepository(dataSource)),
    new ProcessSeries(new ProcessSeriesRepository(dataSource)),
  );
  const builder = new SegmentBuilder(dataSource, windows, blocks, new SegmentRepository(), pool as WorkerPool);
  const cover = new Cover(new SnapshotRepository(dataSource), dictionaries, pool as WorkerPool);
  const queued: unknown[] = [];
  const work = new RollupWork(
    windows,
    blocks,
    store,
    builder,
    { add: async (_job: unknown, payload: unknown) => queued.push(payload) } as unknown as Queues,
    new RollupMetrics(new Metrics()),
    { handle: () => undefined } as unknown as JobRunner,
    { every: () => undefined } as unknown as Ticks,
  );
  return { dataSource, store, dictionaries, windows, blocks, builder, cover, work, queued, close: () => dataSource.destroy() };
}

async function freshServer(pool?: MergePool): Promise<Server & { url: string }> {
  const url = await postgres.createDatabase();
  await runMigrations(url, [ProfileStore1763600000001]);
  const server = await startServer(url, pool);
  servers.push(server);
  return { ...server, url };
}
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

/** Seeded numbers in [0, 1) (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One raw sample, as plainly as can be: what every answer is checked against. */
interface RawSample {
  readonly path: string;
  readonly labelSetId: number;
  readonly value: number;
  readonly count: number;
}
interface RawFlush {
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  readonly profileTypeId: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly sequence: number;
  readonly samples: readonly RawSample[];
}

function randomFlushes(random: () => number, firstSequence = 0): RawFlush[] {
  const flushes: RawFlush[] = [];
  const below = (limit: number) => Math.floor(random() * limit);
  for (let processId = 1; processId <= 4; processId += 1) {
    for (
      let startMs = START + below(10_000), sequence = firstSequence;
      startMs < END;
      startMs += 10_000 + below(50), sequence += 1
    ) {
      if (random() < 0.4) continue;
      const samples = Array.from({ length: below(12) }, () => ({
        path: random() < 0.05 ? '' : `main>a${below(3)}>b${below(4)}>c${below(30)}`,
        labelSetId: 1 + below(5),
        value: below(3) === 0 ? below(1e12) : 10_101 + below(20),
        count: 1 + below(2),
      }));
      flushes.push({
        processId,
        revisionId: processId < 3 ? 1 : 2,
        environmentId: processId === 4 ? 2 : 1,
        profileTypeId: 1 + below(2),
        startMs,
        durationMs: 10_000 + below(50),
        sequence,
        samples,
      });
    }
  }
  return flushes;
}

/** Stores one flush as an agent would: its own tables, interned, then the batch. */
async function storeFlush(server: Server, flush: RawFlush): Promise<void> {
  const names: string[] = [];
  const parent: number[] = [];
  const functionRow: number[] = [];
  const rowOfPath = new Map<string, number>([['', -1]]);
  for (const { path } of flush.samples) {
    const parts = path === '' ? [] : path.split('>');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join('>');
      if (rowOfPath.has(prefix)) continue;
      if (!names.includes(parts[depth - 1]!)) names.push(parts[depth - 1]!);
      rowOfPath.set(prefix, parent.push(rowOfPath.get(parts.slice(0, depth - 1).join('>'))!) - 1);
      functionRow.push(names.indexOf(parts[depth - 1]!));
    }
  }
  const empty = names.map(() => '');
  const functions: FunctionTable = { length: names.length, name: names, package: empty, file: empty };
  const stacks: StackTable = {
    length: parent.length,
    parent: Int32Array.from(parent),
    functionRow: Uint32Array.from(functionRow),
  };
  const ids = await server.dictionaries.intern(SERVICE, functions, stacks);
  const { samples, ...head } = flush;
  const batch: BatchToStore = {
    serviceId: SERVICE,
    ...head,
    transactions: [],
    series: [],
    blocks: [
      {
        profileTypeId: flush.profileTypeId,
        kind: 'flow',
        stackId: Int32Array.from(samples, ({ path }) => (path === '' ? -1 : ids[rowOfPath.get(path)!]!)),
        labelSetId: Uint32Array.from(samples, (one) => one.labelSetId),
        value: Float64Array.from(samples, (one) => one.value),
        count: Float64Array.from(samples, (one) => one.count),
      },
    ],
  };
  await server.store.storeBatches([batch]);
}

const selected = (flushes: readonly RawFlush[], query: CoverQuery) =>
  flushes.filter(
    (flush) =>
      flush.profileTypeId === query.profileTypeId &&
      flush.startMs >= query.fromMs &&
      flush.startMs < query.untilMs &&
      (query.environmentIds?.includes(flush.environmentId) ?? true) &&
      (query.revisionIds?.includes(flush.revisionId) ?? true) &&
      (query.processIds?.includes(flush.processId) ?? true),
  );
const samplesOf = (flush: RawFlush, query: CoverQuery) =>
  flush.samples.filter((one) => query.labelSetIds?.includes(one.labelSetId) ?? true);

function expectedMerged(flushes: readonly RawFlush[], query: CoverQuery) {
  const byPath = new Map<string, number>();
  let [sum, samples, observedMs] = [0, 0, 0];
  for (const flush of selected(flushes, query)) {
    observedMs += flush.durationMs;
    for (const { path, value, count } of samplesOf(flush, query)) {
      byPath.set(path, (byPath.get(path) ?? 0) + value);
      sum += value;
      samples += count;
    }
  }
  return { byPath: Object.fromEntries([...byPath].filter(([, value]) => value > 0)), sum, samples, observedMs };
}

async function actualMerged(server: Server, query: CoverQuery) {
  const { functions, stacks, self, rootSelf, sum, samples, observedMs } = await server.cover.merged(query);
  const byPath = new Map<string, number>(rootSelf > 0 ? [['', rootSelf]] : []);
  self.forEach((value, id) => {
    if (value > 0)
      byPath.set(
        functionsRootFirst(stacks, id)
          .map((row) => functions.name[row])
          .join('>'),
        value,
      );
  });
  return { byPath: Object.fromEntries(byPath), sum, samples, observedMs };
}

function randomQuery(random: () => number): CoverQuery {
  const below = (limit: number) => Math.floor(random() * limit);
  const some = (limit: number) => (random() < 0.6 ? undefined : Array.from({ length: 1 + below(2) }, () => 1 + below(limit)));
  const fromMs = random() < 0.4 ? START : START + below(MINUTES * 60_000);
  const untilMs = random() < 0.4 ? END : fromMs + 1 + below(END - fromMs);
  return {
    serviceId: SERVICE,
    profileTypeId: 1 + below(2),
    fromMs,
    untilMs,
    environmentIds: some(2),
    revisionIds: some(2),
    processIds: some(4),
    labelSetIds: some(5),
  };
}

async function checkAll(server: Server, flushes: readonly RawFlush[], random: () => number): Promise<void> {
  const query = randomQuery(random);
  expect({ query, ...(await actualMerged(server, query)) }).toEqual({ query, ...expectedMerged(flushes, query) });

  const stepMs = [10_000, 30_000, 60_000, 120_000][Math.floor(random() * 4)]!;
  const byRevision = await server.cover.steps(query, stepMs, 'revision');
  const byProcess = await server.cover.steps(query, stepMs, 'process');
  const byLabel = await server.cover.steps(
    query,
    stepMs,
    new Map([
      [1, 10],
      [2, 10],
      [3, 20],
    ]),
  );
  const whole = await server.cover.steps(query, stepMs, 'none');
  const stepOf = (startMs: number) => Math.floor(startMs / stepMs) * stepMs;
  const steps = (groupOf: (flush: RawFlush, sample: RawSample) => number) => {
    const sums: Record<string, number> = {};
    for (const flush of selected(flushes, query)) {
      for (const sample of samplesOf(flush, query)) {
        const key = `${groupOf(flush, sample)} ${stepOf(flush.startMs)}`;
        sums[key] = (sums[key] ?? 0) + sample.value;
      }
    }
    return Object.fromEntries(Object.entries(sums).filter(([, value]) => value > 0));
  };
  const actual = ({ startsMs, groups, values }: Awaited<ReturnType<Cover['steps']>>) => {
    expect(startsMs[0]).toBe(stepOf(query.fromMs));
    return Object.fromEntries(
      groups
        .flatMap((group, row) => startsMs.map((start, step) => [`${group} ${start}`, values[row]![step]!] as const))
        .filter(([, value]) => value > 0),
    );
  };
  expect(actual(whole)).toEqual(steps(() => 0));
  expect(actual(byRevision)).toEqual(steps((flush) => flush.revisionId));
  expect(actual(byProcess)).toEqual(steps((flush) => flush.processId));
  expect(actual(byLabel)).toEqual(steps((_, { labelSetId }) => (labelSetId < 3 ? 10 : labelSetId === 3 ? 20 : -1)));

  const grain = random() < 0.5 ? ('window' as const) : ('flush' as const);
  const rows = await server.cover.byProcess(
    query,
    new Map([
      [1, 0],
      [2, 1],
    ]),
    grain,
  );
  const { functions, stacks } = await server.dictionaries.snapshot(SERVICE);
  const sums: Record<string, [value: number, count: number]> = {};
  const add = (into: typeof sums, key: string, value: number, count: number) => {
    const sum = (into[key] ??= [0, 0]);
    sum[0] += value;
    sum[1] += count;
  };
  rows.processId.forEach((processId, row) => {
    const path =
      rows.stackId[row]! < 0
        ? ''
        : functionsRootFirst(stacks, rows.stackId[row]!)
            .map((one) => functions.name[one])
            .join('>');
    add(sums, `${processId} ${rows.windowStartMs[row]} ${rows.group[row]} ${path}`, rows.value[row]!, rows.count[row]!);
  });
  const expected: typeof sums = {};
  const observed: Record<number, number> = {};
  for (const flush of selected(flushes, query)) {
    observed[flush.processId] = (observed[flush.processId] ?? 0) + flush.durationMs;
    for (const { path, labelSetId, value, count } of samplesOf(flush, query)) {
      add(
        expected,
        `${flush.processId} ${grain === 'flush' ? flush.startMs : windowStart(flush.startMs)} ${labelSetId < 3 ? labelSetId - 1 : -1} ${path}`,
        value,
        count,
      );
    }
  }
  expect(sums).toEqual(expected);
  expect(Object.fromEntries(Array.from(rows.observed.processId, (id, row) => [id, rows.observed.observedMs[row]]))).toEqual(
    observed,
  );
}

const buildAll = async (server: Server) => {
  for (const key of await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)) await server.builder.build(key);
};

describe('Cover', () => {
  it.each([1, 2, 3, 4])(
    'equals the merge of the raw profiles, in any order of arrival and whatever is built (seed %i)',
    async (seed) => {
      const random = randomNumbers(seed);
      const server = await freshServer();
      const flushes = randomFlushes(random).sort(() => random() - 0.5);
      const stored: RawFlush[] = [];
      let drops = 0;
      while (stored.length < flushes.length) {
        const next = flushes.slice(stored.length, stored.length + 1 + Math.floor(random() * 25));
        await Promise.all(next.map((flush) => storeFlush(server, flush)));
        stored.push(...next);
        await checkAll(server, stored, random);
        const pending = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000);
        for (const key of pending) if (random() < 0.5) await server.builder.build(key);
        await checkAll(server, stored, random);
        // With everything built the blocks may go: what comes late is only one more block.
        if (random() < 0.3 || stored.length === flushes.length) {
          await buildAll(server);
          await server.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
          drops += (await server.blocks.partitions.list()).length === 0 ? 1 : 0;
          await checkAll(server, stored, random);
        }
      }
      await buildAll(server);
      for (let times = 0; times < 4; times += 1) await checkAll(server, stored, random);
      expect(drops).toBeGreaterThan(0);
    },
  );

  it('is right at every moment while profiles arrive, builders race and partitions go', async () => {
    const random = randomNumbers(99);
    const server = await freshServer();
    const other = await startServer(server.url);
    servers.push(other);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    const flushes = randomFlushes(random)
      .filter((flush) => flush.profileTypeId === 1)
      .sort(() => random() - 0.5);
    let isOver = false;
    let [acknowledged, begun] = [0, 0];
    const write = async () => {
      for (const flush of flushes) {
        const value = flush.samples.reduce((sum, one) => sum + one.value, 0);
        begun += value;
        await storeFlush(random() < 0.5 ? server : other, flush);
        acknowledged += value;
      }
      isOver = true;
    };
    const build = async (builder: Server) => {
      while (!isOver) {
        for (const key of await builder.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)) await builder.builder.build(key);
        if (random() < 0.3) await builder.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
      }
    };
    let reads = 0;
    const read = async (reader: Server) => {
      while (!isOver) {
        const least = acknowledged;
        const { sum } = await reader.cover.merged(query);
        expect(sum).toBeGreaterThanOrEqual(least);
        expect(sum).toBeLessThanOrEqual(begun);
        reads += 1;
      }
    };
    await Promise.all([write(), build(server), build(other), read(server), read(other)]);
    expect(reads).toBeGreaterThan(3);
    expect(await actualMerged(server, query)).toEqual(expectedMerged(flushes, query));
  });

  it('merges in threads, stops when its reader leaves, and answers damage with a code', async () => {
    const pool = new WorkerPool(2);
    try {
      const server = await freshServer(pool);
      const random = randomNumbers(7);
      const flushes = randomFlushes(random);
      await Promise.all(flushes.map((flush) => storeFlush(server, flush)));
      await checkAll(server, flushes, random);
      await buildAll(server);
      await checkAll(server, flushes, random);

      const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
      const version = await server.cover.version(query);
      expect(await server.cover.version(query)).toBe(version);
      await storeFlush(server, { ...flushes.find((flush) => flush.profileTypeId === 1)!, sequence: 5000 });
      expect(await server.cover.version(query)).not.toBe(version);

      await expect(server.cover.merged({ ...query, signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'QUERY_CANCELLED',
      });
      // A builder that holds the table makes the reader wait in the database.
      const holder = server.dataSource.createQueryRunner();
      await holder.startTransaction();
      await holder.query('LOCK TABLE block IN ACCESS EXCLUSIVE MODE');
      const leaving = new AbortController();
      const answer = server.cover.merged({ ...query, signal: leaving.signal });
      setTimeout(() => {
        leaving.abort();
      }, 50);
      await expect(answer).rejects.toMatchObject({ code: 'QUERY_CANCELLED' });
      await holder.rollbackTransaction();
      await holder.release();

      await server.dataSource.query('UPDATE segment SET totals = substring(totals for 40)');
      await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'SEGMENT_DAMAGED' });
      await server.dataSource.query(`UPDATE segment SET totals = '\\x63'`);
      await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'SEGMENT_CODEC' });
    } finally {
      await pool.onApplicationShutdown();
    }
  });
});

describe('SegmentBuilder', () => {
  it('adds each block once when run twice, beside itself, and after being killed between its steps', async () => {
    const server = await freshServer();
    const random = randomNumbers(21);
    const flushes = randomFlushes(random);
    await Promise.all(flushes.map((flush) => storeFlush(server, flush)));
    const keys = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000);

    // Killed after the segment was written and before it was noted: the database takes both back.
    const broken = new SegmentBuilder(
      server.dataSource,
      Object.assign(new WindowRepository(server.dataSource), { setBuilt: () => Promise.reject(new Error('killed')) }),
      server.blocks,
      new SegmentRepository(),
      inlinePool,
    );
    for (const key of keys) await expect(broken.build(key)).rejects.toThrow('killed');
    await checkAll(server, flushes, random);

    const outcomes = await Promise.all([...keys, ...keys, ...keys].map((key) => server.builder.build(key)));
    expect(outcomes.filter((outcome) => outcome === 'built').length).toBe(keys.length);
    await checkAll(server, flushes, random);

    const late = randomFlushes(random, 1000);
    await Promise.all(late.map((flush) => storeFlush(server, flush)));
    await Promise.all([buildAll(server), buildAll(server)]);
    for (let times = 0; times < 4; times += 1) await checkAll(server, [...flushes, ...late], random);
  });

  /** A builder that does `meanwhile` while a thread computes. */
  const builderInterruptedBy = (server: Server, meanwhile: () => Promise<unknown>) =>
    new SegmentBuilder(server.dataSource, server.windows, server.blocks, new SegmentRepository(), {
      run: async (file: string, task: BuildSegmentTask) => {
        await meanwhile();
        return inlinePool.run(file, task);
      },
    } as unknown as WorkerPool);

  it('holds up no block that arrives while it computes, and leaves the window pending for it', { timeout: 20_000 }, async () => {
    const server = await freshServer();
    const random = randomNumbers(31);
    const [first, second] = randomFlushes(random).filter((flush) => flush.samples.length > 0);
    const late = { ...first!, sequence: second!.sequence + 1000 };
    await storeFlush(server, first!);
    const [key] = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1);
    expect(await builderInterruptedBy(server, () => storeFlush(server, late)).build(key!)).toBe('built');
    expect(await server.windows.listPending(Number.MAX_SAFE_INTEGER, 10)).toEqual([key]);
    await checkAll(server, [first!, late], random);
    await buildAll(server);
    expect(await server.windows.listPending(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    await checkAll(server, [first!, late], random);
  });

  it('drops what it computed when another builder was faster', { timeout: 20_000 }, async () => {
    const server = await freshServer();
    const random = randomNumbers(32);
    const flush = randomFlushes(random).find(({ samples }) => samples.length > 0)!;
    const late = { ...flush, sequence: flush.sequence + 1000 };
    await storeFlush(server, flush);
    const [key] = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1);
    const slower = builderInterruptedBy(server, async () => {
      await storeFlush(server, late);
      await server.builder.build(key!);
    });
    expect(await slower.build(key!)).toBe('nothing-to-do');
    await checkAll(server, [flush, late], random);
  });

  it('leaves a window pending whose block is damaged, and keeps its partition', async () => {
    const server = await freshServer();
    const flushes = randomFlushes(randomNumbers(5)).filter((flush) => flush.profileTypeId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await server.dataSource.query(`UPDATE block SET data = '\\x07' WHERE sequence = 1 AND window_start_ms = $1`, [START]);
    await expect(server.work.buildMinute({ serviceId: SERVICE, level: '1m', windowStartMs: START })).rejects.toThrow(
      AggregateError,
    );
    for (let minute = 1; minute < MINUTES; minute += 1)
      await server.work.buildMinute({ serviceId: SERVICE, level: '1m', windowStartMs: START + minute * 60_000 });
    expect((await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)).every((key) => key.windowStartMs === START)).toBe(
      true,
    );
    expect((await server.windows.pendingBacklog()).oldestWindowStartMs).toBe(START);
    const later = Date.now() + 3 * 3_600_000;
    await server.work.dropBuiltPartitions(later);
    expect((await server.blocks.partitions.list()).length).toBe(1);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'BLOCK_CODEC' });
  });

  it('lets a window rest that cannot be built, so that it takes no place from others', async () => {
    const server = await freshServer();
    const flushes = randomFlushes(randomNumbers(5)).filter((flush) => flush.profileTypeId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await server.dataSource.query(`UPDATE block SET data = '\\x07' WHERE window_start_ms = $1`, [START]);
    const minute = { serviceId: SERVICE, level: '1m', windowStartMs: START } as const;
    const nowMs = Date.now();
    await expect(server.work.buildMinute(minute, nowMs)).rejects.toThrow(AggregateError);
    await server.work.buildMinute(minute, nowMs + 1); // rests: nothing to do
    const damaged = await server.windows.listPendingOf(SERVICE, START);
    expect(damaged.length).toBeGreaterThan(0);
    await server.work.queuePending(nowMs + 2, 1);
    expect(server.queued).toEqual([expect.objectContaining({ windowStartMs: START + 60_000 })]);
    await expect(server.work.buildMinute(minute, nowMs + 60_000)).rejects.toThrow(AggregateError);
  });
});
