import { gzipSync } from 'node:zlib';
import type { ComparisonAnswer, FlameGraphAnswer } from '@hearth/query-contract';
import { encodeBatch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeBatch } from '../support/made-batch.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { startTestRedis, whyNoRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { startComposeService, type ComposeProcess } from './compose-processes.js';

const KEY = 'key-of-the-compose-test-0123';
const reason = whyNoRedis();

/** The containers of docker-compose.yml as plain processes: what can be checked of it without a container engine. */
describe.skipIf(reason !== undefined)(`the topology of docker-compose.yml${reason === undefined ? '' : ` (${reason})`}`, () => {
  let postgres: TestPostgres;
  let redis: TestRedis;
  let api: ComposeProcess;
  let workers: ComposeProcess[] = [];
  const startMs = Date.now() - 120_000;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startTestPostgres(), startTestRedis()]);
    const place = {
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      variables: { POSTGRES_PASSWORD: 'unused', HEARTH_BOOTSTRAP_KEY: KEY, HEARTH_ADMIN_PASSWORD: 'password-of-the-test' },
    };
    // All at once, as compose starts them: they wait for each other's migrations.
    [api, ...workers] = await Promise.all([
      startComposeService('api', place),
      startComposeService('worker', place),
      startComposeService('worker', place),
    ]);
  });
  afterAll(async () => {
    for (const one of [api, ...workers]) {
      one?.child.kill('SIGKILL');
      await one?.ended;
    }
    await redis?.stop();
    await postgres?.stop();
  });

  const authorization = { authorization: `Bearer ${KEY}` };
  async function send(processId: string, revision: string, sequence: number): Promise<void> {
    const batch = madeBatch({ processId, sequence, startMs: startMs + sequence * 10_000 });
    const bytes = encodeBatch({ ...batch, process: { ...batch.process, revision } });
    const response = await fetch(`${api.url}/api/v1/batches`, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/vnd.hearth.batch', 'content-encoding': 'gzip' },
      body: gzipSync(bytes),
    });
    expect(response.status, await response.text()).toBe(202);
  }
  async function compare(baseline: string, candidate: string): Promise<ComparisonAnswer> {
    const side = { service: 'made', from: String(startMs), until: String(startMs + 120_000) };
    const asked = await fetch(`${api.url}/api/v1/comparisons`, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ baseline: { ...side, revision: baseline }, candidate: { ...side, revision: candidate } }),
    });
    expect(asked.status).toBe(202);
    const { id } = (await asked.json()) as { id: string };
    return until(async () => {
      const answer = (await (
        await fetch(`${api.url}/api/v1/comparisons/${id}`, { headers: authorization })
      ).json()) as ComparisonAnswer;
      return answer.status === 'pending' || answer.status === 'running' ? undefined : answer;
    });
  }

  it('takes batches in, and answers what they hold', async () => {
    for (const [processNumber, revision] of [
      [1, 'r1'],
      [2, 'r1'],
      [3, 'r2'],
      [4, 'r2'],
      [5, 'r3'],
    ] as const) {
      for (let sequence = 0; sequence < 6; sequence += 1) await send(String(processNumber).padStart(32, '0'), revision, sequence);
    }
    const answer = await fetch(
      `${api.url}/api/v1/flame-graph?service=made&revision=r1&from=${startMs}&until=${startMs + 120_000}`,
      { headers: authorization },
    );
    const flame = (await answer.json()) as FlameGraphAnswer;
    // Two processes, six batches each: the values 1,000 to 1,005.
    expect(flame.sum).toBe(2 * (6 * 1_000 + 15));
  });

  it('compares releases in a worker, the api only takes the question', async () => {
    const answer = await compare('r1', 'r2');
    expect(answer).toMatchObject({ status: 'done', error: null });
    expect(answer.result!.baseline.processes).toBe(2);
    expect(answer.result!.candidate.processes).toBe(2);
  });

  it('goes on with one worker when the other is killed', async () => {
    workers[0]!.child.kill('SIGKILL');
    expect(await workers[0]!.ended).toBe('SIGKILL');
    expect(await compare('r2', 'r3')).toMatchObject({ status: 'done', error: null });
  });

  it('stops in order when its containers are stopped', async () => {
    for (const one of [workers[1]!, api]) {
      one.child.kill('SIGTERM');
      expect(await one.ended, one.output().slice(-2_000)).toBe(0);
    }
  });
});
