import {
  BlockRepository,
  LEVELS,
  PinnedTotals,
  ProfileStore,
  ReceiptRepository,
  SegmentRepository,
  SnapshotRepository,
  UnusedEpochs,
  WindowRepository,
  type BatchToStore,
} from '../../apps/server/src/features/profile-store/index.js';
import { LineRecordings } from '../../apps/server/src/features/lines/index.js';
import { ProcessSeries, ProcessSeriesRepository } from '../../apps/server/src/features/process-metrics/index.js';
import { PinnedRevisions, ProcessStarts } from '../../apps/server/src/features/catalog/index.js';
import { PinnedRevisionEntity } from '../../apps/server/src/features/catalog/pinned-revision.entity.js';
import { PinKeeper } from '../../apps/server/src/features/retention/pin-keeper.js';
import { AnswerCache } from '../../apps/server/src/features/rollup/answer-cache.js';
import { Cover } from '../../apps/server/src/features/rollup/cover.js';
import { RollupMetrics } from '../../apps/server/src/features/rollup/rollup-metrics.js';
import { RollupWork } from '../../apps/server/src/features/rollup/rollup-work.js';
import { SegmentBuilder } from '../../apps/server/src/features/rollup/segment-builder.js';
import { UpperBuilder } from '../../apps/server/src/features/rollup/upper-builder.js';
import { epochOf, StackDictionaries, StackRepository } from '../../apps/server/src/features/stacks/index.js';
import {
  ExemplarRepository,
  Exemplars,
  PinnedTransactions,
  TransactionWindowRepository,
  TransactionWindows,
} from '../../apps/server/src/features/transactions/index.js';
import { MIGRATIONS } from '../../apps/server/src/migrations/index.js';
import {
  connectDataSource,
  inDatabaseTransaction,
  ReadDatabase,
  runMigrations,
} from '../../apps/server/src/platform/database/index.js';
import type { ReadDatabaseOptions } from '../../apps/server/src/platform/database/read-database.js';
import { createLogger, Metrics } from '../../apps/server/src/platform/observability/index.js';
import { JobRunner, Queues, Ticks } from '../../apps/server/src/platform/queue/index.js';
import { WorkerPool } from '../../apps/server/src/platform/worker-pool/index.js';
import { stackTableOf } from './named-stacks.js';
import { SERVICE, type RawFlush } from './raw-flushes.js';
import type { TestPostgres } from './postgres.js';

/** What stores, builds and reads profiles, without HTTP and queues. */
export interface RollupServer {
  readonly dataSource: Awaited<ReturnType<typeof connectDataSource>>;
  readonly reads: ReadDatabase;
  readonly store: ProfileStore;
  readonly transactionWindows: TransactionWindows;
  readonly dictionaries: StackDictionaries;
  readonly windows: WindowRepository;
  readonly blocks: BlockRepository;
  readonly segments: SegmentRepository;
  readonly processStarts: ProcessStarts;
  readonly builder: SegmentBuilder;
  readonly upper: UpperBuilder;
  readonly cover: Cover;
  readonly work: RollupWork;
  readonly pins: PinnedRevisions;
  readonly pinnedTotals: PinnedTotals;
  readonly keeper: PinKeeper;
  readonly unusedEpochs: UnusedEpochs;
  readonly pool: WorkerPool;
  readonly queues: Queues;
  close(): Promise<void>;
}
export interface RollupServerOptions {
  readonly reads?: ReadDatabaseOptions;
  /** Default none: an answer that was kept would not show what became of the tables. */
  readonly maxAnswerBytes?: number;
}
export async function startRollupServer(
  url: string,
  { reads: readOptions, maxAnswerBytes = 0 }: RollupServerOptions = {},
): Promise<RollupServer> {
  const pool = new WorkerPool(2);
  const logger = createLogger('silent');
  const queues = new Queues({ backend: 'postgres', url }, logger);
  const dataSource = await connectDataSource({ url, poolSize: 12 }, [PinnedRevisionEntity]);
  const reads = new ReadDatabase(dataSource, readOptions);
  const windows = new WindowRepository(dataSource);
  const blocks = new BlockRepository(dataSource);
  const dictionaries = new StackDictionaries(new StackRepository(dataSource));
  const transactionWindows = new TransactionWindows(new TransactionWindowRepository(dataSource, reads));
  const store = new ProfileStore(
    dataSource,
    new ReceiptRepository(dataSource),
    windows,
    blocks,
    transactionWindows,
    new ProcessSeries(new ProcessSeriesRepository(dataSource, reads)),
    new LineRecordings(dataSource, reads),
    new Exemplars(new ExemplarRepository(dataSource, reads)),
  );
  const segments = new SegmentRepository(dataSource);
  const builder = new SegmentBuilder(dataSource, windows, blocks, segments, pool);
  const processStarts = new ProcessStarts(dataSource);
  const upper = new UpperBuilder(dataSource, windows, segments, processStarts, pool);
  const cover = new Cover(new SnapshotRepository(reads), windows, dictionaries, pool, new AnswerCache(maxAnswerBytes));
  const work = new RollupWork(
    windows,
    blocks,
    store,
    segments,
    builder,
    upper,
    queues,
    new RollupMetrics(new Metrics()),
    new JobRunner(queues),
    new Ticks(logger),
  );
  const pins = new PinnedRevisions(dataSource.getRepository(PinnedRevisionEntity));
  const pinnedTotals = new PinnedTotals(dataSource);
  const pinnedTransactions = new PinnedTransactions(dataSource);
  const keeper = new PinKeeper(dataSource, pins, windows, segments, pinnedTotals, pinnedTransactions, dictionaries, pool);
  const unusedEpochs = new UnusedEpochs(dictionaries, windows, pinnedTotals);
  const close = async () => {
    await queues.close();
    await pool.onApplicationShutdown();
    await reads.onApplicationShutdown();
    await dataSource.destroy();
  };
  return {
    dataSource,
    reads,
    store,
    transactionWindows,
    dictionaries,
    windows,
    blocks,
    segments,
    processStarts,
    builder,
    upper,
    cover,
    work,
    pins,
    pinnedTotals,
    keeper,
    unusedEpochs,
    pool,
    queues,
    close,
  };
}

/** One with a database of its own. */
export async function freshRollupServer(postgres: TestPostgres): Promise<RollupServer & { url: string }> {
  const url = await postgres.createDatabase();
  await runMigrations(url, MIGRATIONS);
  return { ...(await startRollupServer(url)), url };
}

/** Stores one flush as an agent would: its own tables, interned, then the batch. */
export async function storeFlush(server: RollupServer, flush: RawFlush, epoch = epochOf(flush.startMs)): Promise<void> {
  const { functions, stacks, rowOfPath } = stackTableOf(flush.samples.map(({ path }) => path));
  await server.dictionaries.storeWithIds({ serviceId: SERVICE, epoch }, functions, stacks, async ({ ids, usedEpoch }) => {
    const { samples, ...head } = flush;
    const batch: BatchToStore = {
      serviceId: SERVICE,
      ...head,
      transactions: [],
      series: [],
      usedEpoch,
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
  });
}

/** One transaction of revision 1 in each of these minutes. */
export async function countTransactions(server: RollupServer, startsMs: readonly number[]): Promise<void> {
  const of = { serviceId: SERVICE, processId: 1, revisionId: 1, environmentId: 1, labelSetId: 1 };
  const one = { ...of, kind: 'http', outcome: 'ok', count: 1, durationSumMicros: 10, sketchBucket: [], sketchCount: [] } as const;
  await server.transactionWindows.partitions.ensure(startsMs);
  await inDatabaseTransaction(server.dataSource, async ({ client }) =>
    server.transactionWindows.add(
      client,
      startsMs.map((windowStartMs) => ({ ...one, windowStartMs })),
    ),
  );
}

/** Builds every minute, hour and day that is pending. */
export const buildAll = async (server: RollupServer) => {
  for (const key of await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)) await server.builder.build(key);
  for (const level of [LEVELS.hour, LEVELS.day])
    for (const key of await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000, level))
      await server.upper.build(level, key);
};

/** Merges everything into days for good, late profiles too. */
export const sealAll = async (server: RollupServer) => {
  for (const level of [LEVELS.hour, LEVELS.day]) {
    await buildAll(server);
    for (const key of await server.windows.listSealable(
      level,
      { beforeMs: Number.MAX_SAFE_INTEGER, serviceIds: [SERVICE] },
      1000,
    ))
      await server.upper.seal(level, key);
  }
};

/** Some of what could be done at this moment: each level by itself, so that it runs ahead of or behind the others. */
export async function workABit(server: RollupServer, random: () => number): Promise<void> {
  for (const key of await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000))
    if (random() < 0.6) await server.builder.build(key);
  for (const level of [LEVELS.hour, LEVELS.day])
    for (const key of await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000, level))
      if (random() < 0.5) await server.upper.build(level, key);
  for (const level of [LEVELS.hour, LEVELS.day])
    for (const key of await server.windows.listSealable(
      level,
      { beforeMs: Number.MAX_SAFE_INTEGER, serviceIds: [SERVICE] },
      1000,
    ))
      if (random() < 0.3) await server.upper.seal(level, key);
}
