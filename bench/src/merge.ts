/**
 * How long a question over stored profiles takes, from the query to merged values, at two sizes a factor of ten apart. Peer:
 * gzipped pprof blobs in rows, decoded and merged in Node. Both read the same Postgres, turn by turn.
 */
import { performance } from 'node:perf_hooks';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readProfiles, profilesToPprof } from '@hearth/profile-formats';
import { mergeProfiles } from '@hearth/profile-model';
import { CPU_TYPE_ID, SERVICE_ID, startBenchStore, storeFlushes } from './store/bench-store.js';
import { FLUSH_MS, flushToProfile, resampledFlushes } from './store/resampled-flushes.js';

const START_MS = 1_763_600_040_000;
const PROCESSES = 50;
const FLUSHES_PER_PROCESS = 200; // 10,000 profiles in 33 minutes and 20 seconds
const END_MS = START_MS + FLUSHES_PER_PROCESS * FLUSH_MS;
const THOUSAND_MS = 20 * FLUSH_MS;
const ROUNDS = 7;

const bench = await startBenchStore();
try {
  const { dataSource, cover } = bench;
  await dataSource.query('CREATE TABLE bench_blob (start_ms bigint, data bytea)');
  await dataSource.query('CREATE INDEX ON bench_blob (start_ms)');
  const plan = { processes: PROCESSES, flushesPerProcess: FLUSHES_PER_PROCESS, startMs: START_MS, seed: 1 };
  await storeFlushes(bench, resampledFlushes(plan), 200);
  for (const flush of resampledFlushes(plan)) {
    if (flush.startMs >= START_MS + THOUSAND_MS) break;
    await dataSource.query('INSERT INTO bench_blob VALUES ($1, $2)', [
      flush.startMs,
      Buffer.from(gzipSync(profilesToPprof([flushToProfile(flush)]))),
    ]);
  }

  const query = { serviceId: SERVICE_ID, profileTypeId: CPU_TYPE_ID, fromMs: START_MS, untilMs: END_MS };
  const thousand = { ...query, untilMs: START_MS + THOUSAND_MS };
  const mergeBlobs = async () => {
    const rows = (await dataSource.query('SELECT data FROM bench_blob WHERE start_ms >= $1 AND start_ms < $2', [
      thousand.fromMs,
      thousand.untilMs,
    ])) as { data: Buffer }[];
    mergeProfiles(rows.map(({ data }) => readProfiles(gunzipSync(data)).profiles[0]!));
  };
  const unbuilt = await timesOf({ tail_1k: () => cover.merged(thousand), tail_10k: () => cover.merged(query) }, 3);
  await bench.buildAll();
  await dataSource.query('VACUUM ANALYZE');
  const built = await timesOf(
    {
      merge_1k: () => cover.merged(thousand),
      merge_10k: () => cover.merged(query),
      label_10k: () => cover.merged({ ...query, labelSetIds: [3] }),
      process_10k: () => cover.merged({ ...query, processIds: [7] }),
      timeline_10k: () => cover.steps(query, 60_000, 'none'),
      by_process_1k: () => cover.byProcess(thousand, new Map([[1, 0]])),
      blobs_1k: mergeBlobs,
    },
    ROUNDS,
  );
  const figures = {
    profiles: PROCESSES * FLUSHES_PER_PROCESS,
    merge_ms_1k: round1(built.merge_1k),
    merge_ms_10k: round1(built.merge_10k),
    filtered_ms_10k: round1(built.process_10k),
    label_ms_10k: round1(built.label_10k),
    timeline_ms_10k: round1(built.timeline_10k),
    by_process_ms_1k: round1(built.by_process_1k),
    live_tail_ms_1k: round1(unbuilt.tail_1k),
    live_tail_ms_10k: round1(unbuilt.tail_10k),
    blobs_ms_1k: round1(built.blobs_1k),
    merge_ratio_vs_blobs_1k: round1(built.blobs_1k / built.merge_1k),
    growth_10x_profiles: round1(built.merge_10k / built.merge_1k),
  };
  if (!process.argv.includes('--json')) console.table(figures);
  console.log(JSON.stringify(figures));
} finally {
  await bench.stop();
}

/** Median milliseconds of each, taken in turns so that a busy moment meets all. The first turn only warms up. */
async function timesOf<Name extends string>(
  work: Record<Name, () => Promise<unknown>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(work) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const start = performance.now();
      await work[name]();
      if (round > 0) times.get(name)!.push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, times.get(name)!.sort((a, b) => a - b)[rounds >> 1]!])) as Record<
    Name,
    number
  >;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
