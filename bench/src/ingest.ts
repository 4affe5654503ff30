/**
 * What it costs to store profiles: the server's CPU over HTTP, acknowledged after commit, from our agent and from pprof pushes; each stage
 * of it; and the disk the profiles take. Peer: the same profiles as gzipped pprof, one row each. docs/benchmarks.md
 */
import { gzipSync } from 'node:zlib';
import { profilesToPprof } from '@hearth/profile-formats';
import { BATCH_CONTENT_TYPE, encodeBatch } from '@hearth/wire-format';
import { startTestServer } from '../../test/support/server.js';
import { printFigures, progress, round } from './agent/figures.js';
import { FLUSH_MS, fleetFlushes, samplesOf, type FleetPlan, type Flush } from './fleet/fleet.js';
import { flushToBatch, flushToProfile } from './fleet/flush-tables.js';
import { readPopulations } from './fleet/population.js';
import { startBenchPostgres } from './store/bench-postgres.js';
import { FleetStorer, openBenchStore, withCpuOnly, type BenchStore } from './store/bench-store.js';
import { loadOverHttp, type HttpFigures, type LoadRequest } from './store/http-load.js';
import { measureStages } from './store/ingest-stages.js';
import { PprofBlobs } from './store/pprof-blobs.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A whole hour, so that the hour's segments are there. */
const DISK_START_MS = Date.UTC(2025, 10, 20, 10);
const INSTANCES = 100;
const PER_TRANSACTION = 200;
/** `--quick` only shows that it runs: a tenth of everything, and figures that mean little. */
const share = process.argv.includes('--quick') ? 0.1 : 1;
const MEASURED_BATCHES = 3_000 * share;
const WARM_UP_BATCHES = 1_500 * share;
const BLOBS = 3_000 * share;

const populations = readPopulations();
const fleet: Omit<FleetPlan, 'startMs' | 'untilMs'> = {
  populations,
  instances: INSTANCES,
  everyMs: FLUSH_MS,
  deployEveryMs: HOUR_MS,
  seed: 1,
};
const postgres = await startBenchPostgres();
try {
  const small = await diskOf('bench_disk_small', 6 * MINUTE_MS * share);
  const large = await diskOf('bench_disk_large', HOUR_MS * share);
  const batches = recentBatches(INSTANCES, WARM_UP_BATCHES + MEASURED_BATCHES);
  const stages = await inStore('bench_stages', (bench) =>
    measureStages(
      bench,
      postgres.cpuSeconds,
      batches.map(({ body }) => body),
      WARM_UP_BATCHES,
    ),
  );
  const http = await overHttp('bench_http', batches);
  const tenth = await overHttp('bench_http_tenth', recentBatches(INSTANCES / 10, WARM_UP_BATCHES + MEASURED_BATCHES));
  const pprof = await overHttp('bench_pprof', recentPushes(WARM_UP_BATCHES + MEASURED_BATCHES));
  printFigures({
    profiles_per_s_per_core: Math.round(http.profilesPerSecondPerCore),
    profiles_per_s_per_core_with_postgres: Math.round(http.profilesPerSecondPerCoreWithPostgres),
    profiles_per_s: Math.round(http.profilesPerSecond),
    profiles_per_s_per_core_tenth_of_processes: Math.round(tenth.profilesPerSecondPerCore),
    profiles_per_batch: round(sumOf(batches, ({ profiles }) => profiles) / batches.length, 2),
    sent_again: http.sentAgain,
    pprof_per_s_per_core: Math.round(pprof.profilesPerSecondPerCore),
    pprof_per_s: Math.round(pprof.profilesPerSecond),
    ...Object.fromEntries(Object.entries(stages).map(([name, micros]) => [`stage_us_${name}`, Math.round(micros)])),
    all_us_over_http: Math.round(1e6 / http.profilesPerSecondPerCore),
    rss_mb: Math.round(http.serverRssMb),
    profiles: large.profiles,
    samples_per_profile: round(large.samples / large.profiles, 1),
    bytes_per_sample_minute: round(large.minuteBytes, 2),
    bytes_per_sample_minute_tenth_of_profiles: round(small.minuteBytes, 2),
    bytes_per_sample_hour: round(large.hourBytes, 2),
    bytes_per_sample_hour_tenth_of_profiles: round(small.hourBytes, 2),
    bytes_per_sample_day: round(large.dayBytes, 2),
    bytes_per_sample_block: round(large.blockBytes, 2),
    bytes_per_sample_dictionary: round(large.dictionaryBytes, 2),
    bytes_per_sample_blobs: round(small.blobBytes, 2),
    disk_ratio_vs_blobs: round(small.blobBytes / large.minuteBytes, 1),
    disk_ratio_vs_blobs_tenth_of_profiles: round(small.blobBytes / small.minuteBytes, 1),
    disk_ratio_vs_blobs_hour: round(small.blobBytes / large.hourBytes, 1),
    disk_ratio_with_blocks: round(small.blobBytes / (large.minuteBytes + large.blockBytes), 1),
    store_profiles_per_s_per_core: Math.round(large.storedPerSecondPerCore),
    store_profiles_per_s_per_core_blobs: Math.round(small.blobsPerSecondPerCore),
    build_profiles_per_s_per_core: Math.round(large.builtPerSecondPerCore),
  });
} finally {
  await postgres.stop();
}

/** Bytes of a raw sample of CPU time, in every form. */
async function diskOf(database: string, rangeMs: number) {
  return inStore(database, async (bench) => {
    const plan = { ...fleet, startMs: DISK_START_MS, untilMs: DISK_START_MS + rangeMs };
    const flushes = [...withCpuOnly(fleetFlushes(plan))];
    const samples = sumOf(flushes, ({ profiles }) => sumOf(profiles, samplesOf));
    const storedIn = await cpuSecondsOf(() => new FleetStorer(bench, populations).store(flushes, PER_TRANSACTION));
    const blobs = await PprofBlobs.create(bench);
    const some = flushes.slice(0, BLOBS);
    const blobsIn = await cpuSecondsOf(() => blobs.store(some, PER_TRANSACTION));
    const blobSamples = sumOf(some, ({ profiles }) => sumOf(profiles, samplesOf));
    const blockBytes = await bench.tableBytes('block');
    progress(`${flushes.length} profiles stored`);
    const builtIn = await cpuSecondsOf(() => bench.buildAll());
    progress('built');
    const dictionaryBytes = (await bench.tableBytes('stack_page')) + (await bench.tableBytes('stack_head'));
    return {
      profiles: flushes.length,
      samples,
      storedPerSecondPerCore: flushes.length / storedIn,
      blobsPerSecondPerCore: some.length / blobsIn,
      builtPerSecondPerCore: flushes.length / builtIn,
      blockBytes: blockBytes / samples,
      dictionaryBytes: dictionaryBytes / samples,
      minuteBytes: ((await bench.tableBytes('segment')) + (await bench.tableBytes('profile_window')) + dictionaryBytes) / samples,
      hourBytes: ((await bench.tableBytes('hour_segment')) + (await bench.tableBytes('hour_window')) + dictionaryBytes) / samples,
      dayBytes:
        ((await bench.tableBytes('day_totals')) +
          (await bench.tableBytes('release_totals')) +
          (await bench.tableBytes('day_window')) +
          dictionaryBytes) /
        samples,
      blobBytes: (await bench.tableBytes('bench_blob')) / blobSamples,
    };
  });
}

async function inStore<Result>(database: string, work: (bench: BenchStore) => Promise<Result>): Promise<Result> {
  const bench = await openBenchStore(await postgres.createDatabase(database));
  try {
    return await work(bench);
  } finally {
    await bench.close();
  }
}

async function overHttp(database: string, requests: readonly LoadRequest[]): Promise<HttpFigures> {
  const server = await startTestServer({ role: 'api', databaseUrl: await postgres.createDatabase(database) });
  progress(`${requests.length} requests over HTTP`);
  try {
    return await loadOverHttp(server, postgres.cpuSeconds, requests, WARM_UP_BATCHES);
  } finally {
    await server.stop();
  }
}

/** Flushes of the last hour, the last one now. */
function* recentFlushes(instances: number, count: number): Generator<Flush> {
  const lengthMs = Math.ceil(count / instances) * FLUSH_MS;
  const startMs = Date.now() - lengthMs;
  let sent = 0;
  for (const flush of fleetFlushes({
    ...fleet,
    instances,
    startMs,
    untilMs: startMs + lengthMs,
    deployEveryMs: lengthMs / 2,
    seed: 2,
  })) {
    if (sent === count) return;
    sent += 1;
    yield flush;
  }
}

function recentBatches(instances: number, count: number): LoadRequest[] {
  return Array.from(recentFlushes(instances, count), (flush) => ({
    path: '/api/v1/batches',
    headers: { 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' },
    body: gzipSync(encodeBatch(flushToBatch(flush, flush.population.program)), { level: 4 }),
    profiles: flush.profiles.length,
  }));
}

/** The CPU profiles as clients of Pyroscope push them: gzipped pprof, one a request. */
function recentPushes(count: number): LoadRequest[] {
  return Array.from(withCpuOnly(recentFlushes(INSTANCES, count)), (flush) => {
    const { population, process, revision, startMs } = flush;
    const name = `${population.program}{host=host-${process},service_git_ref=release-${revision},env=bench}`;
    const query = new URLSearchParams({
      name,
      from: (startMs / 1e3).toFixed(3),
      until: ((startMs + FLUSH_MS) / 1e3).toFixed(3),
      format: 'pprof',
      spyName: 'nodespy',
    });
    return {
      path: `/ingest?${query}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: gzipSync(profilesToPprof([flushToProfile(flush, flush.profiles[0]!)])),
      profiles: 1,
    };
  });
}

/** CPU time of this process; its threads are in it, Postgres is not. */
async function cpuSecondsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
