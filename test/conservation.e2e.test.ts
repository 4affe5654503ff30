import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readProfiles } from '@hearth/profile-formats';
import { PROFILE_TYPE_IDS, labelValue, TRANSACTION_LABEL } from '@hearth/profile-model';
import type { FlameGraphAnswer, FunctionsAnswer, TimelineAnswer, TransactionsAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gunzipSync } from 'node:zlib';
import { startRecordingProxy, type RecordingProxy } from './support/recording-proxy.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { findTestRedis, type TestRedis } from './support/redis.js';
import { startTestServer, type TestServer } from './support/server.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./host-programs/known-work.mjs', import.meta.url));
const REQUESTS = 40;
const IMPORTS = 30;
const redis = await findTestRedis();

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

const backends: { name: string; redis: TestRedis | undefined }[] = [
  { name: 'Postgres', redis: undefined },
  { name: `Redis${redis.reason ? ` (${redis.reason})` : ''}`, redis: redis.available },
];

describe.each(backends)('with the queue on $name', ({ name, redis: backend }) => {
  const isSkipped = name.startsWith('Redis') && backend === undefined;
  let postgres: TestPostgres;
  let server: TestServer;
  let proxy: RecordingProxy;

  beforeAll(async () => {
    if (isSkipped) return;
    postgres = await startTestPostgres();
    server = await startTestServer({ role: 'all', databaseUrl: postgres.url, ...(backend ? { redisUrl: backend.url } : {}) });
    proxy = await startRecordingProxy(server.url);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
    await postgres?.stop();
    await backend?.stop();
  });

  it.skipIf(isSkipped)('the agent, the store, every answer and the export agree to the microsecond', async () => {
    const fromMs = Date.now() - 5_000;
    await run(process.execPath, [program, String(REQUESTS), String(IMPORTS)], {
      cwd: path.dirname(program),
      env: { ...process.env, HEARTH_URL: proxy.url, HEARTH_KEY: server.key, HEARTH_SERVICE: 'known-work', HEARTH_ENVIRONMENT: 'test', HEARTH_REVISION: 'r1' },
    });
    const agent = countedByAgent(proxy.acknowledged);
    expect(agent.transactions).toBe(REQUESTS + IMPORTS);
    expect(agent.samples).toBeGreaterThan(50);

    const range = `service=known-work&from=${fromMs}&until=${Date.now() + 1_000}`;
    const check = async () => {
      const flame = await server.get<FlameGraphAnswer>(`/api/v1/flame-graph?${range}`);
      expect(flame.sum).toBe(agent.cpu);
      expect(flame.samples).toBe(agent.samples);
      expect(flame.total[0]).toBe(agent.cpu);
      expect(flame.self.reduce((sum, value) => sum + value, 0)).toBe(agent.cpu);

      const functions = await server.get<FunctionsAnswer>(`/api/v1/functions?${range}&limit=10000`);
      expect(functions.functions.reduce((sum, { self }) => sum + self, 0)).toBe(agent.cpu);

      const timeline = await server.get<TimelineAnswer>(`/api/v1/timeline?${range}`);
      expect(timeline.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0)).toBe(agent.cpu);

      const { transactions, backgroundCpuMicros } = await server.get<TransactionsAnswer>(`/api/v1/transactions?${range}`);
      expect(Object.fromEntries(transactions.map(({ name: transaction, count }) => [transaction, count]))).toEqual({
        'GET (no route)': REQUESTS,
        'import orders': IMPORTS,
      });
      for (const { name: transaction, cpuMicros } of transactions) expect(cpuMicros).toBe(agent.cpuByTransaction.get(transaction) ?? 0);
      expect(backgroundCpuMicros).toBe(agent.cpuByTransaction.get('') ?? 0);

      const pprof = await server.getBytes(`/api/v1/export?format=pprof&${range}`);
      const exported = readProfiles(pprof, { inflate: (bytes) => gunzipSync(bytes) }).profiles;
      const cpu = exported.find(({ type }) => type.sampleType === 'cpu')!;
      expect(cpu.sampleValue.reduce((sum, value) => sum + value, 0)).toBe(agent.cpu);
    };
    await check(); // from blocks alone, or from whatever is built by now
    await server.waitUntilBuilt();
    await check(); // from segments
  });
});
