import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDataSource, ReadDatabase, runMigrations } from '../../../apps/server/dist/platform/database/index.js';
import { EmbeddedPostgres } from '../../../apps/server/dist/platform/embedded-postgres/index.js';
import { WorkerPool } from '../../../apps/server/dist/platform/worker-pool/index.js';
import { ProcessStarts } from '../../../apps/server/dist/features/catalog/index.js';
import { ProcessSeries, ProcessSeriesRepository } from '../../../apps/server/dist/features/process-metrics/index.js';
import {
  BlockRepository,
  LEVELS,
  ProfileStore,
  ReceiptRepository,
  SegmentRepository,
  SnapshotRepository,
  WindowRepository,
  type BatchToStore,
} from '../../../apps/server/dist/features/profile-store/index.js';
import { AnswerCache, Cover, SegmentBuilder, UpperBuilder } from '../../../apps/server/dist/features/rollup/index.js';
import { epochOf, StackDictionaries, StackRepository } from '../../../apps/server/dist/features/stacks/index.js';
import { TransactionWindowRepository, TransactionWindows } from '../../../apps/server/dist/features/transactions/index.js';
import { MIGRATIONS } from '../../../apps/server/dist/migrations/index.js';
import { FLUSH_MS, LABEL_SETS, type Flush } from './resampled-flushes.js';

export const SERVICE_ID = 1;
export const CPU_TYPE_ID = 1;

/** The store on an embedded Postgres of its own, with the settings a user gets. */
export async function startBenchStore() {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  chmodSync(homeDir, 0o755); // when root runs it, Postgres runs as nobody
  const postgres = await EmbeddedPostgres.start({
    homeDir,
    programsCopyDir: path.join(tmpdir(), `hearth-test-postgres-programs-${process.getuid?.() ?? 0}`),
  });
  await runMigrations(postgres.url(), [...MIGRATIONS]);
  const dataSource = await connectDataSource({ url: postgres.url() });
  const reads = new ReadDatabase(dataSource);
  const [windows, blocks] = [new WindowRepository(dataSource), new BlockRepository(dataSource)];
  const segments = new SegmentRepository(dataSource);
  const pool = new WorkerPool(2);
  const dictionaries = new StackDictionaries(new StackRepository(dataSource));
  return {
    dataSource,
    dictionaries,
    windows,
    store: new ProfileStore(
      dataSource,
      new ReceiptRepository(dataSource),
      windows,
      blocks,
      new TransactionWindows(new TransactionWindowRepository(dataSource, reads)),
      new ProcessSeries(new ProcessSeriesRepository(dataSource, reads)),
    ),
    builder: new SegmentBuilder(dataSource, windows, blocks, segments, pool),
    upper: new UpperBuilder(dataSource, windows, segments, new ProcessStarts(dataSource), pool),
    cover: new Cover(new SnapshotRepository(reads), windows, dictionaries, pool, new AnswerCache(0)),
    /** Another empty database on the same Postgres. @returns Its URL. */
    async createDatabase(): Promise<string> {
      await dataSource.query('CREATE DATABASE bench_http');
      return postgres.url('bench_http');
    },
    /** Bytes on disk: rows, their large values and their indexes. */
    async tableBytes(table: string): Promise<number> {
      const rows = (await dataSource.query(
        'SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint AS bytes FROM (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass) AS parts',
        [table],
      )) as { bytes: number }[];
      return rows[0]!.bytes;
    },
    async buildAll(): Promise<void> {
      for (
        let pending = await windows.listPending(Number.MAX_SAFE_INTEGER, 500);
        pending.length > 0;
        pending = await windows.listPending(Number.MAX_SAFE_INTEGER, 500)
      ) {
        for (const key of pending) await this.builder.build(key);
      }
      for (const level of [LEVELS.hour, LEVELS.day])
        for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 100_000, level)) await this.upper.build(level, key);
    },
    async stop(): Promise<void> {
      await pool.onApplicationShutdown();
      await dataSource.destroy();
      await postgres.stop();
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}
export type BenchStore = Awaited<ReturnType<typeof startBenchStore>>;

/** One flush as the batch that ingest would store, with two transactions and four series beside it. */
export async function batchOf({ dictionaries }: BenchStore, flush: Flush): Promise<BatchToStore> {
  const key = { serviceId: SERVICE_ID, epoch: epochOf(flush.startMs) };
  const { ids, usedEpoch } = await dictionaries.intern(key, flush.functions, flush.stacks);
  return {
    serviceId: SERVICE_ID,
    processId: flush.process + 1,
    revisionId: 1,
    environmentId: 1,
    sequence: flush.startMs,
    startMs: flush.startMs,
    durationMs: FLUSH_MS,
    usedEpoch,
    blocks: [
      {
        profileTypeId: CPU_TYPE_ID,
        kind: 'flow',
        stackId: flush.sampleStack.map((row) => (row < 0 ? row : ids[row]!)),
        labelSetId: flush.sampleLabelSet.map((row) => row + 1),
        value: flush.sampleValue,
        count: flush.sampleCount,
      },
    ],
    transactions: LABEL_SETS.slice(1, 3).map((_, row) => ({
      labelSetId: row + 2,
      kind: 'http',
      outcome: 'ok',
      count: 40,
      durationSumMicros: 400_000,
      sketchBucket: Int32Array.of(400, 420, 440, 460),
      sketchCount: Float64Array.of(10, 10, 10, 10),
    })),
    series: ['rss_bytes', 'heap_used_bytes', 'cpu_user_micros', 'event_loop_delay_p99_micros'].map((name, at) => ({
      name,
      value: 1e6 * (at + 1),
    })),
  };
}

/** Stores flushes in database transactions of `perTransaction` batches, as group commit does. */
export async function storeFlushes(bench: BenchStore, flushes: Iterable<Flush>, perTransaction: number): Promise<void> {
  let batches: BatchToStore[] = [];
  for (const flush of flushes) {
    batches.push(await batchOf(bench, flush));
    if (batches.length < perTransaction) continue;
    await bench.store.storeBatches(batches);
    batches = [];
  }
  if (batches.length > 0) await bench.store.storeBatches(batches);
}
