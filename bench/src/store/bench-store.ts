import { connectDataSource, ReadDatabase, runMigrations } from '../../../apps/server/dist/platform/database/index.js';
import { WorkerPool } from '../../../apps/server/dist/platform/worker-pool/index.js';
import { ProcessStarts } from '../../../apps/server/dist/features/catalog/index.js';
import { LineRecordings } from '../../../apps/server/dist/features/lines/index.js';
import { ProcessSeries, ProcessSeriesRepository } from '../../../apps/server/dist/features/process-metrics/index.js';
import {
  BlockRepository,
  LEVELS,
  NO_STACK,
  ProfileStore,
  ReceiptRepository,
  SegmentRepository,
  SnapshotRepository,
  WindowRepository,
  type BatchToStore,
} from '../../../apps/server/dist/features/profile-store/index.js';
import { AnswerCache, Cover, SegmentBuilder, UpperBuilder } from '../../../apps/server/dist/features/rollup/index.js';
import { epochOf, StackDictionaries, StackRepository } from '../../../apps/server/dist/features/stacks/index.js';
import {
  ExemplarRepository,
  Exemplars,
  TransactionWindowRepository,
  TransactionWindows,
} from '../../../apps/server/dist/features/transactions/index.js';
import { MIGRATIONS } from '../../../apps/server/dist/migrations/index.js';
import { NO_PARENT, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { FLUSH_MS, type Flush } from '../fleet/fleet.js';
import type { Population } from '../fleet/population.js';
import { functionsOfRevision } from '../fleet/revisions.js';

export type InternedStacks = Awaited<ReturnType<StackDictionaries['intern']>>;

/** Ids of profile types, as every database of the benchmarks has them. */
export const PROFILE_TYPE_ROWS = [
  PROFILE_TYPE_IDS.cpu,
  PROFILE_TYPE_IDS.wall,
  PROFILE_TYPE_IDS.inuse_space,
  PROFILE_TYPE_IDS.inuse_objects,
];
export const CPU_TYPE_ID = 1;
/** Windows that are built at once. */
const BUILDERS = 3;
/** Label sets of one population; ids of the next begin behind. */
const LABEL_SETS_EACH = 10_000;

/** The store over a new database, without a server around it. */
export async function openBenchStore(databaseUrl: string) {
  await runMigrations(databaseUrl, [...MIGRATIONS]);
  const dataSource = await connectDataSource({ url: databaseUrl });
  const reads = new ReadDatabase(dataSource);
  const [windows, blocks] = [new WindowRepository(dataSource), new BlockRepository(dataSource)];
  const segments = new SegmentRepository(dataSource);
  const pool = new WorkerPool(2);
  const dictionaries = new StackDictionaries(new StackRepository(dataSource));
  const builder = new SegmentBuilder(dataSource, windows, blocks, segments, pool);
  const upper = new UpperBuilder(dataSource, windows, segments, new ProcessStarts(dataSource), pool);
  return {
    dataSource,
    dictionaries,
    store: new ProfileStore(
      dataSource,
      new ReceiptRepository(dataSource),
      windows,
      blocks,
      new TransactionWindows(new TransactionWindowRepository(dataSource, reads)),
      new ProcessSeries(new ProcessSeriesRepository(dataSource, reads)),
      new LineRecordings(dataSource, reads),
      new Exemplars(new ExemplarRepository(dataSource, reads)),
    ),
    cover: new Cover(new SnapshotRepository(reads), windows, dictionaries, pool, new AnswerCache(0)),
    /** Bytes on disk: rows, their large values and their indexes. */
    async tableBytes(table: string): Promise<number> {
      const rows = (await dataSource.query(
        'SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint AS bytes FROM (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass) AS parts',
        [table],
      )) as { bytes: number }[];
      return Number(rows[0]!.bytes);
    },
    /** Minutes, then hours, then days. */
    async buildAll(): Promise<void> {
      await inTurns(
        () => windows.listPending(Number.MAX_SAFE_INTEGER, 2_000),
        (key) => builder.build(key),
      );
      for (const level of [LEVELS.hour, LEVELS.day])
        await inTurns(
          () => windows.listPending(Number.MAX_SAFE_INTEGER, 2_000, level),
          (key) => upper.build(level, key),
        );
    },
    async close(): Promise<void> {
      await pool.onApplicationShutdown();
      await dataSource.destroy();
    },
  };
}
/** Does what is listed, a few at a time, until nothing is listed any more. */
async function inTurns<Key>(list: () => Promise<Key[]>, work: (key: Key) => Promise<unknown>): Promise<void> {
  for (let keys = await list(); keys.length > 0; keys = await list()) {
    await Promise.all(
      Array.from({ length: BUILDERS }, async () => {
        for (let key = keys.pop(); key !== undefined; key = keys.pop()) await work(key);
      }),
    );
  }
}

export type BenchStore = Awaited<ReturnType<typeof openBenchStore>>;

/**
 * Stores what a fleet sent in database transactions of `perTransaction` batches, as group commit does. The stacks of a program are interned
 * when its first flush of a revision comes, all at once: reading them out of every batch is measured elsewhere.
 *
 * @param serviceOf - Default: each program is a service of its own, from id 1.
 */
export class FleetStorer {
  readonly #bench: BenchStore;
  readonly #serviceOf: (population: Population) => number;
  readonly #populations: Population[] = [];
  readonly #interned = new Map<string, Promise<InternedStacks>>();

  constructor(bench: BenchStore, populations: readonly Population[], serviceOf?: (population: Population) => number) {
    this.#bench = bench;
    this.#populations = [...populations];
    this.#serviceOf = serviceOf ?? ((population) => this.#populations.indexOf(population) + 1);
  }

  /** @returns Profiles stored. */
  async store(flushes: Iterable<Flush>, perTransaction: number): Promise<number> {
    let [batches, profiles] = [[] as BatchToStore[], 0];
    const flush = async () => {
      const full = batches;
      batches = [];
      await this.#bench.store.storeBatches(full);
    };
    for (const one of flushes) {
      const batch = await this.#batchOf(one);
      profiles += batch.blocks.length;
      if (batches.push(batch) >= perTransaction) await flush();
    }
    if (batches.length > 0) await flush();
    return profiles;
  }

  async #batchOf(flush: Flush): Promise<BatchToStore> {
    const { population, process, revision, sequence, startMs } = flush;
    const serviceId = this.#serviceOf(population);
    const { ids: stackIds, usedEpoch } = await this.#intern(serviceId, flush);
    const labelSetId = (row: number) => this.#populations.indexOf(population) * LABEL_SETS_EACH + row + 1;
    return {
      serviceId,
      processId: process + 1,
      revisionId: revision + 1,
      environmentId: 1,
      sequence,
      startMs,
      durationMs: FLUSH_MS,
      usedEpoch,
      blocks: flush.profiles.map(({ typeId, kind, stack, labelSet, value, count }) => ({
        profileTypeId: PROFILE_TYPE_ROWS.indexOf(typeId as (typeof PROFILE_TYPE_ROWS)[number]) + 1,
        kind,
        stackId: stack.map((row) => (row === NO_PARENT ? NO_STACK : stackIds[row]!)),
        labelSetId: labelSet.map(labelSetId),
        value,
        count,
      })),
      transactions: flush.transactions.map((one) => ({ ...one, labelSetId: labelSetId(one.labelSet) })),
      series: flush.series,
    };
  }

  #intern(serviceId: number, { population, revision, startMs }: Flush): Promise<InternedStacks> {
    const key = { serviceId, epoch: epochOf(startMs) };
    const text = `${serviceId} ${key.epoch} ${population.program} ${revision}`;
    const known =
      this.#interned.get(text) ??
      this.#bench.dictionaries.intern(key, functionsOfRevision(population, revision), population.stacks);
    this.#interned.set(text, known);
    return known;
  }

  labelSetIdsWhere(isWanted: (population: Population, row: number) => boolean): number[] {
    return this.#populations.flatMap((population, at) =>
      population.labelSets.flatMap((_, row) => (isWanted(population, row) ? [at * LABEL_SETS_EACH + row + 1] : [])),
    );
  }
}

/** The same flushes with only their CPU profile. */
export function* withCpuOnly(flushes: Iterable<Flush>): Generator<Flush> {
  for (const flush of flushes) {
    const profiles = flush.profiles.filter(({ typeId }) => typeId === PROFILE_TYPE_IDS.cpu);
    if (profiles.length > 0) yield { ...flush, profiles };
  }
}
