import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestRedis, whyNoRedis, type TestRedis } from '../../../../../test/support/redis.js';
import { startRedisCluster, whyNoRedisCluster, type TestRedisCluster } from '../../../../../test/support/redis-cluster.js';
import { freePort } from '../../../../../test/support/server.js';
import { defineJob, JobRunner, Queues, type QueueBackend } from './index.js';

interface Payload {
  readonly n: number;
}
const count = defineJob<Payload>({ name: 'count', parse: (json) => json as Payload, id: ({ n }) => `count.${n}`, attempts: 3 });
const logger = pino({ level: 'silent' });
const noRedis = whyNoRedis();
const noCluster = whyNoRedisCluster();

let open: Queues[] = [];
afterEach(async () => {
  await Promise.all(open.map((queues) => queues.close()));
  open = [];
});
function queuesAt(place: QueueBackend): Queues {
  const queues = new Queues(place, logger);
  open.push(queues);
  return queues;
}

/** Waits for at most 20 s. @returns Whether it became true. */
async function becomes(isTrue: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 400 && !isTrue(); tries += 1) await sleep(50);
  return isTrue();
}

/** The same on either backend. */
function behavesAsAQueue(place: () => QueueBackend): void {
  it('runs work that was added twice once, and again when it is added after it has run', async () => {
    const queues = queuesAt(place());
    await queues.add(count, { n: 1 });
    await queues.add(count, { n: 1 });
    const ran: number[] = [];
    const runner = new JobRunner(queues);
    runner.handle(count, async ({ n }) => {
      ran.push(n);
    });
    runner.start([count]);
    expect(await becomes(() => ran.length >= 1)).toBe(true);
    await sleep(300);
    expect(ran).toEqual([1]);
    await queues.add(count, { n: 1 });
    expect(await becomes(() => ran.length === 2)).toBe(true);
  });

  it('tries work again that failed, on any worker', async () => {
    const queues = queuesAt(place());
    let tries = 0;
    for (const each of [queues, queuesAt(place())]) {
      const runner = new JobRunner(each);
      runner.handle(count, async () => {
        tries += 1;
        if (tries === 1) throw new Error('the first time');
      });
      runner.start([count]);
    }
    await queues.add(count, { n: 2 });
    expect(await becomes(() => tries === 2)).toBe(true);
  });

  it('waits for running work before it closes', async () => {
    const queues = queuesAt(place());
    const runner = new JobRunner(queues);
    const events: string[] = [];
    runner.handle(count, async () => {
      events.push('begins');
      await sleep(300);
      events.push('ends');
    });
    runner.start([count]);
    await queues.add(count, { n: 3 });
    expect(await becomes(() => events.length > 0)).toBe(true);
    await queues.close();
    expect(events).toEqual(['begins', 'ends']);
  });

  it('answers when it is asked', async () => {
    await expect(queuesAt(place()).ping()).resolves.toBeUndefined();
  });
}

describe('Queues on Postgres', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(async () => {
    await Promise.all(open.splice(0).map((queues) => queues.close()));
    await postgres.stop();
  });
  behavesAsAQueue(() => ({ backend: 'postgres', url: postgres.url }));

  it('lets twenty servers make its tables at once', async () => {
    const url = await postgres.createDatabase();
    const pings = Array.from({ length: 20 }, () => queuesAt({ backend: 'postgres', url }).ping());
    expect((await Promise.allSettled(pings)).filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('says so when the database is away', async () => {
    const queues = queuesAt({ backend: 'postgres', url: `postgres://hearth:x@127.0.0.1:${await freePort()}/hearth` });
    await expect(queues.add(count, { n: 4 })).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', status: 503 });
  });
});

describe.skipIf(noRedis !== undefined)(`Queues on Redis${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`, () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => {
    await Promise.all(open.splice(0).map((queues) => queues.close()));
    await redis.stop();
  });
  behavesAsAQueue(() => ({ backend: 'redis', url: redis.url }));

  it('says so when Redis is away, instead of waiting for ever', async () => {
    const queues = queuesAt({ backend: 'redis', url: `redis://127.0.0.1:${await freePort()}` });
    await expect(queues.add(count, { n: 4 })).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', status: 503 });
  });
});

describe.skipIf(noCluster !== undefined)(
  `Queues on a Redis Cluster${noCluster === undefined ? '' : ` (skipped: ${noCluster})`}`,
  () => {
    let cluster: TestRedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    });
    afterAll(async () => {
      await Promise.all(open.splice(0).map((queues) => queues.close()));
      await cluster.stop();
    });
    const place = () => ({ backend: 'redis' as const, url: cluster.url });
    behavesAsAQueue(place);

    it('spreads its queues over the masters, and runs each of many jobs once on two workers', async () => {
      const jobs = ['build', 'compare', 'drop', 'look', 'tell', 'count-again'].map((name) =>
        defineJob<Payload>({ ...count, name, id: ({ n }) => `${name}.${n}` }),
      );
      const ran: string[] = [];
      const queues = queuesAt(place());
      const all = jobs.flatMap((job) => Array.from({ length: 20 }, (_, n) => ({ job, n })));
      await Promise.all([...all, ...all].map(({ job, n }) => queues.add(job, { n })));
      expect((await cluster.keyCounts()).filter((keys) => keys > 0).length).toBeGreaterThan(1);
      for (const each of [queuesAt(place()), queuesAt(place())]) {
        const runner = new JobRunner(each);
        for (const job of jobs) {
          const work = async ({ n }: Payload) => {
            ran.push(job.id({ n }));
          };
          runner.handle(job, work, 4);
        }
        runner.start(jobs);
      }
      expect(await becomes(() => ran.length >= all.length)).toBe(true);
      await sleep(500);
      expect([...ran].sort()).toEqual(all.map(({ job, n }) => job.id({ n })).sort());
    });

    it('forgets what a killed master held, says that it is away, and runs what is added again once it is back', async () => {
      const job = defineJob<Payload>({ ...count, name: 'after-a-kill', id: ({ n }) => `after-a-kill.${n}` });
      const master = await cluster.masterOf('{hearth.after-a-kill}:after-a-kill:wait');
      const queues = queuesAt(place());
      await queues.add(job, { n: 1 });
      await cluster.kill(master);
      await expect(queues.add(job, { n: 2 })).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', status: 503 });

      const ran: number[] = [];
      const runner = new JobRunner(queues);
      runner.handle(job, async ({ n }) => {
        ran.push(n);
      });
      runner.start([job]);
      await cluster.startAgain(master);
      // As the scheduler does, from the table that the work is in.
      const isAdded = (n: number) =>
        queues.add(job, { n }).then(
          () => true,
          () => false,
        );
      const added = new Set<number>();
      for (let tries = 0; tries < 20 && added.size < 3; tries += 1) for (const n of [1, 2, 3]) if (await isAdded(n)) added.add(n);
      expect(await becomes(() => [1, 2, 3].every((n) => ran.includes(n)))).toBe(true);
      await expect(queues.ping()).resolves.toBeUndefined();
    });

    it('closes with a master away', async () => {
      const master = await cluster.masterOf('{hearth.count}:count:wait');
      const queues = queuesAt(place());
      const runner = new JobRunner(queues);
      runner.handle(count, async () => undefined);
      runner.start([count]);
      await queues.ping();
      await cluster.kill(master);
      await sleep(1_500);
      await queues.close();
      await cluster.startAgain(master);
    });
  },
);
