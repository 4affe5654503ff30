import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestRedis, whyNoRedis, type TestRedis } from '../../../../../test/support/redis.js';
import { freePort } from '../../../../../test/support/server.js';
import { defineJob, JobRunner, Queues, type QueueBackend } from './index.js';

interface Payload {
  readonly n: number;
}
const count = defineJob<Payload>({ name: 'count', parse: (json) => json as Payload, id: ({ n }) => `count.${n}`, attempts: 3 });
const logger = pino({ level: 'silent' });
const noRedis = whyNoRedis();

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
