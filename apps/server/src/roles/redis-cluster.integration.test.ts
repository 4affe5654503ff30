import { profileFromText } from '@hearth/profile-model/testing';
import type { FlameGraphAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.js';
import { QueryServer } from '../../../../test/support/query-server.js';
import { startRedisCluster, whyNoRedisCluster, type TestRedisCluster } from '../../../../test/support/redis-cluster.js';
import { until } from '../../../../test/support/until.js';
import { connectDataSource } from '../platform/database/index.js';

const noCluster = whyNoRedisCluster();

describe.skipIf(noCluster !== undefined)(
  `Hearth with its queue on a Redis Cluster${noCluster === undefined ? '' : ` (skipped: ${noCluster})`}`,
  () => {
    let postgres: TestPostgres;
    let cluster: TestRedisCluster;
    const servers: QueryServer[] = [];
    beforeAll(async () => {
      [postgres, cluster] = await Promise.all([startTestPostgres(), startRedisCluster()]);
    });
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await cluster?.stop();
      await postgres?.stop();
    });

    it('builds every window, whatever a killed master took with it: the table of windows is the truth', async () => {
      const variables = { REDIS_URL: cluster.url };
      for (const role of ['api', 'worker', 'worker'] as const)
        servers.push(await QueryServer.start(postgres.url, role, variables));
      const api = servers[0]!;
      const at = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
      const store = (minute: number) =>
        api.store({ startMs: at + minute * 60_000, profiles: [profileFromText('5\nmain\nread')] });
      const database = await connectDataSource({ url: postgres.url });
      const count = async (query: string) =>
        ((await database.query(`SELECT count(*) AS n FROM ${query}`)) as [{ n: number }])[0].n;
      const untilBuilt = () =>
        until(async () => ((await count('profile_window WHERE sequence > built_sequence')) === 0 ? true : undefined));
      try {
        for (let minute = 0; minute < 10; minute += 1) await store(minute);
        await untilBuilt();
        const master = await cluster.masterOf('{hearth.build-rollup}:build-rollup:wait');
        await cluster.kill(master);
        for (let minute = 10; minute < 20; minute += 1) await store(minute);
        expect(await count('profile_window WHERE sequence > built_sequence'), 'nobody is told to build them').toBe(10);
        await cluster.startAgain(master);
        await untilBuilt();
        expect(await count('segment')).toBe(20);
        const answer = await api.get<FlameGraphAnswer>(
          `/api/v1/flame-graph?service=shop&type=cpu&from=${at}&until=${at + 1_200_000}`,
        );
        expect(answer.body.sum).toBe(100);
      } finally {
        await database.destroy();
      }
    });
  },
);
