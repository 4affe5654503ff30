/**
 * Half an hour of a fleet: ingest at half the rate that this machine can take, with questions and rollups beside it, sampled every five
 * seconds. `-- soak [--minutes 30]`. Writes docs/benchmarks/soak.csv and soak.svg. Fails only if a total differs from what was acknowledged.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BATCH_CONTENT_TYPE, encodeBatch } from '@hearth/wire-format';
import { connectDataSource } from '../../apps/server/dist/platform/database/index.js';
import { askJson } from '../../test/support/ask.js';
import { startTestServer, type TestServer } from '../../test/support/server.js';
import { median, printFigures, quantile, round } from './agent/figures.js';
import { FLUSH_MS, fleetFlushes, type FleetPlan } from './fleet/fleet.js';
import { flushToBatch } from './fleet/flush-tables.js';
import { readPopulations } from './fleet/population.js';
import { lineChartsSvg } from './soak/line-charts.js';
import { Questions } from './soak/questions.js';
import { SteadyLoad } from './soak/steady-load.js';
import { startBenchPostgres } from './store/bench-postgres.js';
import { loadOverHttp } from './store/http-load.js';
import { numberOption } from './store/number-option.js';
import { metricOf, metricsOf } from './store/server-metrics.js';

const MINUTE_MS = 60_000;
const SAMPLE_EVERY_MS = 5_000;
const QUESTION_EVERY_MS = 1_500;
const PROBED_BATCHES = 900;
const OUT = new URL('../../docs/benchmarks/', import.meta.url);

const minutes = numberOption('minutes', 30);
const populations = readPopulations();
const planOf = (instances: number, startMs: number, untilMs: number): FleetPlan => ({
  populations,
  instances,
  startMs,
  untilMs,
  everyMs: FLUSH_MS,
  deployEveryMs: 10 * MINUTE_MS,
  seed: 1,
});

const postgres = await startBenchPostgres();
try {
  const batchesPerSecond = (await measuredRate()) / 2;
  const databaseUrl = await postgres.createDatabase('bench_soak');
  const api = await startTestServer({ role: 'api', databaseUrl });
  const worker = await startTestServer({ role: 'worker', databaseUrl });
  try {
    await soak(api, worker, databaseUrl, Math.max(1, Math.round(batchesPerSecond * (FLUSH_MS / 1e3))));
  } finally {
    await worker.stop();
    await api.stop();
  }
} finally {
  await postgres.stop();
}

/** Batches a second that one api takes, with the sender on the same machine. */
async function measuredRate(): Promise<number> {
  const server = await startTestServer({ role: 'api', databaseUrl: await postgres.createDatabase('bench_soak_rate') });
  try {
    const nowMs = Date.now();
    const requests = Array.from(fleetFlushes(planOf(100, nowMs - (PROBED_BATCHES / 100) * FLUSH_MS, nowMs)), (flush) => ({
      path: '/api/v1/batches',
      headers: { 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' },
      body: gzipSync(encodeBatch(flushToBatch(flush, flush.population.program)), { level: 4 }),
      profiles: flush.profiles.length,
    }));
    return (await loadOverHttp(server, postgres.cpuSeconds, requests, PROBED_BATCHES / 3)).requestsPerSecond;
  } finally {
    await server.stop();
  }
}

async function soak(api: TestServer, worker: TestServer, databaseUrl: string, instances: number): Promise<void> {
  const startMs = Math.ceil(Date.now() / 1_000) * 1_000;
  const untilMs = startMs + minutes * MINUTE_MS;
  const load = new SteadyLoad();
  const questions = new Questions(
    api,
    populations.map(({ program }) => program),
    startMs,
  );
  const rows: SoakRow[] = [];
  let isOver = false;
  const database = await connectDataSource({ url: databaseUrl });
  const sampling = (async () => {
    while (!isOver) {
      rows.push(
        await sampleNow(startMs, load, questions, api, worker, async () => {
          const [row] = (await database.query('SELECT pg_database_size(current_database()) AS bytes')) as [{ bytes: string }];
          return Number(row.bytes);
        }),
      );
      await sleep(SAMPLE_EVERY_MS);
    }
  })();
  const asking = (async () => {
    while (!isOver) {
      await questions.askNext();
      await sleep(QUESTION_EVERY_MS);
    }
  })();
  await load.run(api, planOf(instances, startMs, untilMs));
  await untilBuilt(worker);
  isOver = true;
  await Promise.all([sampling, asking]);
  await database.destroy();
  const faults = await wrongTotals(api, load, startMs, untilMs);
  writeResults(rows, instances, load);
  const settled = rows.filter(({ minute }) => minute > minutes / 10 && minute <= minutes);
  printFigures({
    minutes,
    instances,
    batches: load.acknowledged,
    batches_per_s: round(load.acknowledged / (minutes * 60), 1),
    rss_mb_first_tenth: round(median(rows.filter(({ minute }) => minute <= minutes / 10).map(({ apiRssMb }) => apiRssMb)), 0),
    rss_mb_last_tenth: round(median(settled.filter(({ minute }) => minute > minutes * 0.9).map(({ apiRssMb }) => apiRssMb)), 0),
    rss_mb_max: round(Math.max(...rows.map(({ apiRssMb }) => apiRssMb)), 0),
    worker_rss_mb_max: round(Math.max(...rows.map(({ workerRssMb }) => workerRssMb)), 0),
    lag_ms_p99_median: round(median(settled.map(({ lagMs }) => lagMs)), 1),
    lag_ms_p99_max: round(Math.max(...settled.map(({ lagMs }) => lagMs)), 1),
    ingest_ms_p50: round(median(settled.map(({ ingestMs }) => ingestMs)), 1),
    ingest_ms_p99_median: round(median(settled.map(({ ingestP99Ms }) => ingestP99Ms)), 1),
    question_ms_p50: round(median(settled.map(({ questionMs }) => questionMs).filter(Number.isFinite)), 1),
    pending_windows_max: Math.max(...settled.map(({ pendingWindows }) => pendingWindows)),
    disk_mb_end: round(rows.at(-1)!.diskMb, 0),
    disk_mb_per_hour_late: round(growthPerHour(settled.filter(({ minute }) => minute > minutes / 2)), 0),
    errors: load.errors,
    question_errors: questions.errors,
    questions: questions.asked,
    wrong_totals: faults.length,
  });
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

interface SoakRow {
  readonly minute: number;
  readonly apiRssMb: number;
  readonly workerRssMb: number;
  /** Delay of the api's event loop, p99 since the row before. */
  readonly lagMs: number;
  readonly pendingWindows: number;
  readonly oldestPendingSeconds: number;
  readonly diskMb: number;
  /** Since the row before, as the sender sees it. */
  readonly ingestMs: number;
  readonly ingestP99Ms: number;
  /** Longest since the row before; NaN: none was asked. */
  readonly questionMs: number;
  readonly acknowledged: number;
  readonly errors: number;
}

async function sampleNow(
  startMs: number,
  load: SteadyLoad,
  questions: Questions,
  api: TestServer,
  worker: TestServer,
  databaseBytes: () => Promise<number>,
): Promise<SoakRow> {
  const [ofApi, ofWorker, bytes] = [await metricsOf(api.url), await metricsOf(worker.url), await databaseBytes()];
  const latenciesMs = load.takeLatenciesMs();
  return {
    minute: round((Date.now() - startMs) / MINUTE_MS, 3),
    apiRssMb: round(metricOf(ofApi, 'process_resident_memory_bytes') / 2 ** 20, 1),
    workerRssMb: round(metricOf(ofWorker, 'process_resident_memory_bytes') / 2 ** 20, 1),
    lagMs: round(metricOf(ofApi, 'nodejs_eventloop_lag_p99_seconds') * 1e3, 1),
    pendingWindows: metricOf(ofWorker, 'rollup_pending_windows'),
    oldestPendingSeconds: round(metricOf(ofWorker, 'rollup_oldest_pending_seconds'), 1),
    diskMb: round(bytes / 2 ** 20, 1),
    ingestMs: round(median(latenciesMs), 1),
    ingestP99Ms: round(quantile(latenciesMs, 0.99), 1),
    questionMs: round(Math.max(...questions.takeTimesMs()), 1),
    acknowledged: load.acknowledged,
    errors: load.errors + questions.errors,
  };
}

/** The last minute is built twenty seconds after its end. */
async function untilBuilt(worker: TestServer): Promise<void> {
  const giveUpMs = Date.now() + 5 * MINUTE_MS;
  await sleep(MINUTE_MS + 25_000);
  while (metricOf(await metricsOf(worker.url), 'rollup_pending_windows') > 0) {
    if (Date.now() > giveUpMs) throw new Error(`windows are still pending:\n${worker.logs().slice(-2_000)}`);
    await sleep(1_000);
  }
}

/** What the server answers for the whole range, against what it has acknowledged. */
async function wrongTotals(api: TestServer, { sent }: SteadyLoad, startMs: number, untilMs: number): Promise<string[]> {
  const faults: string[] = [];
  const range = `from=${Math.floor(startMs / MINUTE_MS) * MINUTE_MS}&until=${Math.ceil(untilMs / MINUTE_MS) * MINUTE_MS}`;
  for (const [key, expected] of sent.values) {
    const [service, type] = key.split(' ') as [string, string];
    const { sum } = await askJson<{ sum: number }>(api, `/api/v1/functions?service=${service}&type=${type}&${range}`);
    if (sum !== expected) faults.push(`${key}: ${sum} instead of ${expected}`);
  }
  for (const [service, expected] of sent.transactions) {
    const { transactions } = await askJson<{ transactions: { count: number }[] }>(
      api,
      `/api/v1/transactions?service=${service}&${range}`,
    );
    const count = transactions.reduce((sum, one) => sum + one.count, 0);
    if (count !== expected) faults.push(`transactions of ${service}: ${count} instead of ${expected}`);
  }
  return faults;
}

function writeResults(rows: readonly SoakRow[], instances: number, load: SteadyLoad): void {
  mkdirSync(OUT, { recursive: true });
  const names = Object.keys(rows[0]!) as (keyof SoakRow)[];
  const lines = [names.join(','), ...rows.map((row) => names.map((name) => row[name]).join(','))];
  writeFileSync(new URL('soak.csv', OUT), `${lines.join('\n')}\n`);
  const of = (name: keyof SoakRow) => rows.map((row) => row[name]);
  const caption = `${minutes} minutes, ${instances} processes, ${round(load.acknowledged / (minutes * 60), 0)} batches a second, ${load.errors} errors`;
  writeFileSync(
    new URL('soak.svg', OUT),
    lineChartsSvg(
      caption,
      rows.map(({ minute }) => minute),
      [
        {
          title: 'Resident memory, MB',
          lines: [
            { name: 'api', values: of('apiRssMb') },
            { name: 'worker', values: of('workerRssMb') },
          ],
        },
        { title: "Delay of the api's event loop, p99, ms", lines: [{ name: 'p99', values: of('lagMs') }] },
        { title: 'Disk of the database, MB', lines: [{ name: 'disk', values: of('diskMb') }] },
        { title: 'Pending windows', lines: [{ name: 'pending', values: of('pendingWindows') }] },
        {
          title: 'Ingest, request to acknowledgement, ms',
          lines: [
            { name: 'median', values: of('ingestMs') },
            { name: 'p99', values: of('ingestP99Ms') },
          ],
        },
        { title: 'Longest question of each five seconds, ms', lines: [{ name: 'question', values: of('questionMs') }] },
      ],
    ),
  );
}

/** Slope of a straight line through the disk's size (least squares). */
function growthPerHour(rows: readonly SoakRow[]): number {
  const meanX = rows.reduce((sum, { minute }) => sum + minute, 0) / rows.length;
  const meanY = rows.reduce((sum, { diskMb }) => sum + diskMb, 0) / rows.length;
  const [xy, xx] = rows.reduce(
    ([xySum, xxSum], { minute, diskMb }) => [xySum + (minute - meanX) * (diskMb - meanY), xxSum + (minute - meanX) ** 2] as const,
    [0, 0] as readonly [number, number],
  );
  return (xy / xx) * 60;
}
