import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type {
  FlameGraphAnswer,
  ServiceAnswer,
  TimelineAnswer,
  TransactionDetailAnswer,
  TransactionsAnswer,
} from '@hearth/query-contract';
import { expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres } from './support/postgres.js';
import { startRecordingProxy } from './support/recording-proxy.js';
import { startTestRedis, whyNoRedis } from './support/redis.js';
import { startTestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../apps/agent/test/hosts/waits.mjs', import.meta.url));
const noRedis = whyNoRedis();

it.skipIf(noRedis !== undefined)(
  `what a program waits for is answered to the microsecond: as a flame graph, over time, and beside what it ran${noRedis === undefined ? '' : ` (${noRedis})`}`,
  async () => {
    const [postgres, redis] = await Promise.all([startTestPostgres(), startTestRedis()]);
    const server = await startTestServer({ databaseUrl: postgres.url });
    const proxy = await startRecordingProxy(server.url);
    const peer = createServer((_, response) => setTimeout(() => response.end('done'), 40));
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    try {
      const fromMs = Date.now() - 5_000;
      const peerUrl = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
      const env = {
        ...process.env,
        HEARTH_URL: proxy.url,
        HEARTH_KEY: server.key,
        HEARTH_SERVICE: 'waits',
        HEARTH_REVISION: 'r1',
      };
      await run(process.execPath, [program, await postgres.createDatabase(), redis.url, peerUrl], { env });
      const sent = (typeId: string) =>
        proxy.acknowledged
          .flatMap(({ profiles }) => profiles)
          .filter((profile) => profile.typeId === typeId)
          .flatMap(({ sampleValue }) => [...sampleValue])
          .reduce((sum, value) => sum + value, 0);
      const range = `service=waits&from=${fromMs}&until=${Date.now() + 60_000}`;

      const graph = await until(async () => {
        const answer = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}&type=wait`);
        return answer.sum > 0 ? answer : undefined;
      });
      expect(graph.sum).toBe(sent(PROFILE_TYPE_IDS.wait));
      expect(graph.names).toContain('pg SELECT ? WHERE pg_sleep(?) IS NOT NULL');
      expect(graph.packages).toEqual(expect.arrayContaining(['pg', 'ioredis', 'node']));
      const timeline = await askJson<TimelineAnswer>(server, `/api/v1/timeline?${range}&type=wait`);
      expect(timeline.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0)).toBe(graph.sum);
      const orders = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}&type=wait&transaction=orders`);
      expect(orders.sum).toBeGreaterThan(8 * 50_000);
      expect(orders.sum).toBeLessThan(graph.sum);

      const { transactions } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?${range}`);
      expect(transactions.reduce((sum, { awaitedMicros }) => sum + awaitedMicros!, 0)).toBe(sent(PROFILE_TYPE_IDS.awaited));
      expect(transactions.find(({ name }) => name === 'orders')!.waitMicros).toBe(orders.sum);
      for (const { cpuMicros, awaitedMicros, unexplainedMicros, durationMicros } of transactions) {
        expect(unexplainedMicros).toBe(Math.max(0, durationMicros.sum - cpuMicros - awaitedMicros!));
      }
      const beside = await askJson<TransactionDetailAnswer>(server, `/api/v1/transactions/beside?${range}`);
      expect(beside.transaction.waitMicros).toBeGreaterThan(beside.transaction.awaitedMicros! + 8 * 30_000);
      const [service] = await askJson<ServiceAnswer[]>(server, '/api/v1/services');
      expect(service!.profileTypes).toContain('wait');
    } finally {
      peer.close();
      await proxy.stop();
      await server.stop();
      await redis.stop();
      await postgres.stop();
    }
  },
  120_000,
);
