/**
 * What it costs to store profiles: the server's CPU over HTTP, acknowledged after commit (`profiles_per_s_per_core`); the store alone, from interned
 * tables on (`store_*`); and the disk they take. Peer of the last two: the same profiles as gzipped pprof, one row each.
 */
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { profilesToPprof } from '@hearth/profile-formats';
import { batchOf, startBenchStore, storeFlushes, type BenchStore } from './store/bench-store.js';
import { loadOverHttp } from './store/http-load.js';
import { flushToProfile, resampledFlushes, samplesOf, type Flush } from './store/resampled-flushes.js';

const START_MS = 1_763_600_040_000;
const PROCESSES = 50;
const ROUNDS = 3;
const PER_TRANSACTION = 100;

interface Cost {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - wall) / 1e3 };
}

async function storeBlobs({ dataSource }: BenchStore, flushes: readonly Flush[]): Promise<void> {
  for (let at = 0; at < flushes.length; at += PER_TRANSACTION) {
    const rows = flushes.slice(at, at + PER_TRANSACTION);
    await dataSource.query('INSERT INTO bench_blob SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])', [
      rows.map((flush) => flush.process),
      rows.map((flush) => flush.startMs),
      rows.map((flush) => Buffer.from(gzipSync(profilesToPprof([flushToProfile(flush)])))),
    ]);
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

const bench = await startBenchStore();
try {
  await bench.dataSource.query('CREATE TABLE bench_blob (process int, start_ms bigint, data bytea)');
  // The first minutes of a service bring most of its stacks.
  const warm = [...resampledFlushes({ processes: PROCESSES, flushesPerProcess: 6, startMs: START_MS - 60_000, seed: 1 })];
  for (const flush of warm) await batchOf(bench, flush);

  const [ours, blobs]: [number[], number[]] = [[], []];
  let samples = 0;
  let profiles = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const flushes = [
      ...resampledFlushes({ processes: PROCESSES, flushesPerProcess: 24, startMs: START_MS + round * 240_000, seed: 2 + round }),
    ];
    profiles += flushes.length;
    samples += flushes.reduce((sum, flush) => sum + samplesOf(flush), 0);
    ours.push(flushes.length / (await costOf(() => storeFlushes(bench, flushes, PER_TRANSACTION))).cpuSeconds);
    blobs.push(flushes.length / (await costOf(() => storeBlobs(bench, flushes))).cpuSeconds);
  }
  const blockBytes = await bench.tableBytes('block');
  const build = await costOf(() => bench.buildAll());
  const segmentBytes = (await bench.tableBytes('segment')) + (await bench.tableBytes('profile_window'));
  const dictionaryBytes = await bench.tableBytes('stack_page');
  const blobBytes = await bench.tableBytes('bench_blob');
  const now = Date.now();
  const http = await loadOverHttp(
    await bench.createDatabase(),
    resampledFlushes({ processes: PROCESSES, flushesPerProcess: 60, startMs: now - 3_600_000, seed: 9 }),
    PROCESSES * 20,
  );
  const figures = {
    profiles,
    samples,
    profiles_per_s_per_core: Math.round(http.profilesPerSecondPerCore),
    profiles_per_s: Math.round(http.profilesPerSecond),
    store_profiles_per_s_per_core: Math.round(median(ours)),
    store_profiles_per_s_per_core_blobs: Math.round(median(blobs)),
    build_profiles_per_s_per_core: Math.round(profiles / build.cpuSeconds),
    bytes_per_sample_minute: round2((segmentBytes + dictionaryBytes) / samples),
    bytes_per_sample_block: round2(blockBytes / samples),
    bytes_per_sample_blobs: round2(blobBytes / samples),
    disk_ratio_vs_blobs: round2(blobBytes / (segmentBytes + dictionaryBytes)),
    disk_ratio_with_blocks: round2(blobBytes / (segmentBytes + dictionaryBytes + blockBytes)),
    dictionary_bytes: dictionaryBytes,
    rss_mb: Math.round(http.serverRssMb),
  };
  if (!process.argv.includes('--json')) console.table(figures);
  console.log(JSON.stringify(figures));
} finally {
  await bench.stop();
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
