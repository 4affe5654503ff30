import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { readProfiles } from '@hearth/profile-formats';
import { PROFILE_TYPE_IDS, labelValue, TRANSACTION_LABEL } from '@hearth/profile-model';
import type { FlameGraphAnswer, FunctionsAnswer, TimelineAnswer, TransactionsAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { buildRollup } from '../apps/server/src/features/rollup/index.js';
import { createLogger } from '../apps/server/src/platform/observability/index.js';
import { Queues, type QueueBackend } from '../apps/server/src/platform/queue/index.js';
import { allBuilt } from './support/all-built.js';
import { askBytes, askJson } from './support/ask.js';
import { startTestPostgres } from './support/postgres.js';
import { startRecordingProxy } from './support/recording-proxy.js';
import { startTestRedis, whyNoRedis } from './support/redis.js';
import { startTestServer, type TestServer } from './support/server.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./host-programs/known-work.mjs', import.meta.url));
const REQUESTS = 40;
const IMPORTS = 30;
const TEST_TIMEOUT_MS = 240_000;
const noRedis = whyNoRedis();

/** What the batches say, summed by us: the ground truth of everything behind it. */
function countedByAgent(batches: readonly Batch[]) {
  const cpuByTransaction = new Map<string, number>();
  let cpu = 0;
  let samples = 0;
  let transactions = 0;
  for (const batch of batches) {
    for (const profile of batch.profiles.filter(({ typeId }) => typeId === PROFILE_TYPE_IDS.cpu)) {
      profile.sampleValue.forEach((value, row) => {
        cpu += value;
        samples += profile.sampleCount[row]!;
        const name = labelValue(batch.labelSets[profile.sampleLabelSet[row]!]!, TRANSACTION_LABEL) ?? '';
        cpuByTransaction.set(name, (cpuByTransaction.get(name) ?? 0) + value);
      });
    }
    transactions += batch.transactions.reduce((sum, { count }) => sum + count, 0);
  }
  return { cpu, samples, transactions, cpuByTransaction };
}

describe('the agent, the store, every answer and the export agree to the microsecond', () => {
  it.concurrent('with the queue on Postgres', async () => await agreesEverywhere(undefined), TEST_TIMEOUT_MS);
  (noRedis === undefined ? it.concurrent : it.skip)(
    `with the queue on Redis${noRedis === undefined ? '' : ` (${noRedis})`}`,
    async () => {
      const redis = await startTestRedis();
      try {
        await agreesEverywhere(redis.url);
      } finally {
        await redis.stop();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

async function agreesEverywhere(redisUrl: string | undefined): Promise<void> {
  const postgres = await startTestPostgres();
  const server = await startTestServer({ databaseUrl: postgres.url, ...(redisUrl === undefined ? {} : { redisUrl }) });
  const proxy = await startRecordingProxy(server.url);
  try {
    const fromMs = Date.now() - 5_000;
    await run(process.execPath, [program, String(REQUESTS), String(IMPORTS)], {
      cwd: path.dirname(program),
      env: {
        ...process.env,
        HEARTH_URL: proxy.url,
        HEARTH_KEY: server.key,
        HEARTH_SERVICE: 'known-work',
        HEARTH_ENVIRONMENT: 'test',
        HEARTH_REVISION: 'r1',
      },
    });
    const range = `service=known-work&from=${fromMs}&until=${Date.now() + 1_000}`;
    const agent = countedByAgent(proxy.acknowledged);
    expect(agent.transactions).toBe(REQUESTS + IMPORTS);
    expect(agent.samples).toBeGreaterThan(50);
    await expectAnswersToSay(server, range, agent); // from blocks
    await buildNow(postgres.url, redisUrl);
    await expectAnswersToSay(server, range, agent); // from segments
  } finally {
    await proxy.stop();
    await server.stop();
    await postgres.stop();
  }
}

async function expectAnswersToSay(server: TestServer, range: string, agent: ReturnType<typeof countedByAgent>): Promise<void> {
  const flame = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}`);
  expect(flame.sum).toBe(agent.cpu);
  expect(flame.samples).toBe(agent.samples);
  expect(flame.total[0]).toBe(agent.cpu);
  expect(sumOf(flame.self)).toBe(agent.cpu);

  const { functions } = await askJson<FunctionsAnswer>(server, `/api/v1/functions?${range}&limit=10000`);
  expect(sumOf(functions.map(({ self }) => self))).toBe(agent.cpu);

  const timeline = await askJson<TimelineAnswer>(server, `/api/v1/timeline?${range}`);
  expect(sumOf(timeline.series.flatMap(({ values }) => values))).toBe(agent.cpu);

  const { transactions, backgroundCpuMicros } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?${range}`);
  expect(Object.fromEntries(transactions.map(({ name, count }) => [name, count]))).toEqual({
    'GET (no route)': REQUESTS,
    'import orders': IMPORTS,
  });
  for (const { name, cpuMicros } of transactions) expect(cpuMicros).toBe(agent.cpuByTransaction.get(name) ?? 0);
  expect(backgroundCpuMicros).toBe(agent.cpuByTransaction.get('') ?? 0);

  const exported = readProfiles(await askBytes(server, `/api/v1/export?format=pprof&${range}`), {
    inflate: (bytes, maxBytes) => gunzipSync(bytes, { maxOutputLength: maxBytes }),
  }).profiles;
  expect(sumOf(exported.find(({ type }) => type.sampleType === 'cpu')!.sampleValue)).toBe(agent.cpu);
}

/** Has the server's worker build this minute, which it would only do once it has ended. */
async function buildNow(databaseUrl: string, redisUrl: string | undefined): Promise<void> {
  const place: QueueBackend =
    redisUrl === undefined ? { backend: 'postgres', url: databaseUrl } : { backend: 'redis', url: redisUrl };
  const queues = new Queues(place, createLogger('silent'));
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ serviceId: number; windowStartMs: number }>(
      'SELECT DISTINCT service_id::int AS "serviceId", window_start_ms::float AS "windowStartMs" FROM profile_window',
    );
    for (const window of rows) await queues.add(buildRollup, { ...window, level: '1m' as const });
    await allBuilt(databaseUrl);
  } finally {
    await client.end();
    await queues.close();
  }
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
