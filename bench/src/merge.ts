/**
 * How long a question over stored profiles takes, from the query to merged values: 1k, 10k and 100k profiles of a fleet, and a week of
 * 10k and 100k. Peer: gzipped pprof blobs in rows, decoded and merged in Node. All read the same Postgres, turn by turn. docs/benchmarks.md
 */
import { performance } from 'node:perf_hooks';
import { TRANSACTION_LABEL, labelValue } from '@hearth/profile-model';
import { median, printFigures, progress, round } from './agent/figures.js';
import { FLUSH_MS, fleetFlushes, type FleetPlan } from './fleet/fleet.js';
import { readPopulations } from './fleet/population.js';
import { epochOf } from '../../apps/server/dist/features/stacks/index.js';
import { startBenchPostgres } from './store/bench-postgres.js';
import { CPU_TYPE_ID, FleetStorer, openBenchStore, withCpuOnly } from './store/bench-store.js';
import { PprofBlobs } from './store/pprof-blobs.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PER_TRANSACTION = 250;
const ROUNDS = 9;
const SLOW_ROUNDS = 3;
/** Nobody asks from a full minute on. */
const QUESTION_OFFSET_MS = 17_000;
/** `--quick` only shows that it runs: a tenth of the processes and a day for the week. Its names then say ten times too much. */
const isQuick = process.argv.includes('--quick');
const share = isQuick ? 0.1 : 1;
/** A hundred processes, a flush each ten seconds. */
const FLEET_INSTANCES = 100 * share;
const FLEET_START_MS = Date.UTC(2025, 10, 19, 20, 20);
const FLEET_LENGTH_MS = 1_003 * FLUSH_MS;
/** 2,016 flushes of each process in a week. */
const WEEK_EVERY_MS = 300_000;
const WEEK_MS = isQuick ? DAY_MS : 7 * DAY_MS;
const WEEK_START_MS = Date.UTC(2025, 10, 10, 9, 30);

const populations = readPopulations();
const fleet: FleetPlan = {
  populations,
  instances: FLEET_INSTANCES,
  startMs: FLEET_START_MS,
  untilMs: FLEET_START_MS + FLEET_LENGTH_MS,
  everyMs: FLUSH_MS,
  deployEveryMs: HOUR_MS,
  seed: 1,
};
const weekOf = (instances: number): FleetPlan => ({
  populations,
  instances,
  startMs: WEEK_START_MS,
  untilMs: WEEK_START_MS + WEEK_MS + 60_000,
  everyMs: WEEK_EVERY_MS,
  deployEveryMs: DAY_MS,
  seed: 2,
});
/** Each is one service that runs every program of the corpus: more stacks than any one of them has. */
const SERVICES = [fleet, weekOf(5), weekOf(50)];

const postgres = await startBenchPostgres();
const bench = await openBenchStore(await postgres.createDatabase('bench_merge'));
try {
  const { dataSource, cover } = bench;
  let labelSetIds: number[] = [];
  let stored = 0;
  for (const [at, plan] of SERVICES.entries()) {
    const storer = new FleetStorer(bench, populations, () => at + 1);
    stored += await storer.store(withCpuOnly(fleetFlushes(plan)), PER_TRANSACTION);
    labelSetIds = storer.labelSetIdsWhere(
      ({ program, labelSets }, row) =>
        program === 'shop' && labelValue(labelSets[row]!, TRANSACTION_LABEL) === 'GET /cart/:cartId',
    );
    progress(`${stored} profiles stored`);
  }
  const fromMs = FLEET_START_MS + QUESTION_OFFSET_MS;
  const of = (profiles: number) => ({
    serviceId: 1,
    profileTypeId: CPU_TYPE_ID,
    fromMs,
    untilMs: fromMs + ((profiles * share) / FLEET_INSTANCES) * FLUSH_MS,
  });
  const [k1, k10, k100] = [of(1_000), of(10_000), of(100_000)];
  const week = (serviceId: number) => ({
    ...k1,
    serviceId,
    fromMs: WEEK_START_MS + QUESTION_OFFSET_MS,
    untilMs: WEEK_START_MS + QUESTION_OFFSET_MS + WEEK_MS,
  });
  const processIds = [8];

  const blobs = await PprofBlobs.create(bench);
  await blobs.store(
    [...withCpuOnly(fleetFlushes({ ...fleet, untilMs: k1.untilMs }))].filter(({ startMs }) => startMs >= fromMs),
    PER_TRANSACTION,
  );
  await dataSource.query('VACUUM ANALYZE');
  const tail = await timesOf(SLOW_ROUNDS, { k1: () => cover.merged(k1), k10: () => cover.merged(k10) });
  const buildStart = performance.now();
  await bench.buildAll();
  progress(`built in ${Math.round((performance.now() - buildStart) / 1e3)} s`);
  await dataSource.query('VACUUM ANALYZE');

  const [ours, theirs] = [await cover.merged(k1), await blobs.merged(k1.fromMs, k1.untilMs)];
  const blobSum = theirs.sampleValue.reduce((sum, value) => sum + value, 0);
  if (ours.sum !== blobSum) throw new Error(`merged ${ours.sum} microseconds, the blobs hold ${blobSum}`);

  const times = await timesOf(ROUNDS, {
    merge_1k: () => cover.merged(k1),
    merge_10k: () => cover.merged(k10),
    merge_100k: () => cover.merged(k100),
    process_10k: () => cover.merged({ ...k10, processIds }),
    process_100k: () => cover.merged({ ...k100, processIds }),
    label_10k: () => cover.merged({ ...k10, labelSetIds }),
    label_100k: () => cover.merged({ ...k100, labelSetIds }),
    timeline_10k: () => cover.steps(k10, 60_000, 'none'),
    timeline_100k: () => cover.steps(k100, 60_000, 'none'),
    week_10k: () => cover.merged(week(2)),
    week_100k: () => cover.merged(week(3)),
  });
  const slow = await timesOf(SLOW_ROUNDS, {
    by_process_10k: () => cover.byProcess(k10, new Map([[1, 0]])),
    blobs_1k: () => blobs.merged(k1.fromMs, k1.untilMs),
    merge_1k: () => cover.merged(k1),
  });
  const { stacks } = await bench.dictionaries.snapshot({ serviceId: 1, epoch: epochOf(FLEET_START_MS) });
  printFigures({
    profiles: stored,
    stacks: stacks.length,
    merge_ms_1k: ms(times.merge_1k),
    merge_ms_10k: ms(times.merge_10k),
    merge_ms_100k: ms(times.merge_100k),
    merge_ms_100k_spread: spread(times.merge_100k),
    filtered_ms_10k: ms(times.process_10k),
    filtered_ms_100k: ms(times.process_100k),
    label_ms_10k: ms(times.label_10k),
    label_ms_100k: ms(times.label_100k),
    timeline_ms_10k: ms(times.timeline_10k),
    timeline_ms_100k: ms(times.timeline_100k),
    by_process_ms_10k: ms(slow.by_process_10k),
    live_tail_ms_1k: ms(tail.k1),
    live_tail_ms_10k: ms(tail.k10),
    week_ms_10k: ms(times.week_10k),
    week_ms_100k: ms(times.week_100k),
    day_totals_kb_10k: await dayTotalsKb(2),
    day_totals_kb_100k: await dayTotalsKb(3),
    growth_10x: round(median(times.week_100k) / median(times.week_10k), 2),
    growth_10x_profiles: round(median(times.merge_10k) / median(times.merge_1k), 2),
    blobs_ms_1k: ms(slow.blobs_1k),
    merge_ratio_vs_blobs_1k: round(median(slow.blobs_1k) / median(slow.merge_1k), 1),
  });
} finally {
  await bench.close();
  await postgres.stop();
}

/** Of all days of a service: how much more there is to read of ten times the profiles. */
async function dayTotalsKb(serviceId: number): Promise<number> {
  const [row] = (await bench.dataSource.query(
    'SELECT sum(octet_length(totals))::bigint AS bytes FROM day_totals WHERE service_id = $1',
    [serviceId],
  )) as { bytes: number }[];
  return Math.round(row!.bytes / 1e3);
}

/** Milliseconds of each, taken in turns so that a busy moment meets all. The first turn only warms up. */
async function timesOf<Name extends string>(
  rounds: number,
  work: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(work) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let turn = 0; turn <= rounds; turn += 1) {
    for (const name of names) {
      const start = performance.now();
      await work[name]();
      if (turn > 0) times[name].push(performance.now() - start);
    }
  }
  return times;
}

function ms(times: readonly number[]): number {
  return round(median(times), 1);
}

function spread(times: readonly number[]): string {
  return `${round(Math.min(...times), 1)} to ${round(Math.max(...times), 1)}`;
}
