import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCover } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { randomFlushes, randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { buildAll, freshRollupServer, storeFlush, type RollupServer } from '../../../../../test/support/rollup-server.js';
import { WorkerPool, type TaskOptions } from '../../platform/worker-pool/index.js';
import { WindowRepository, type WindowKey } from '../profile-store/index.js';
import { SegmentBuilder } from './segment-builder.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
const servers: RollupServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await postgres.stop();
});
async function freshServer(): Promise<RollupServer & { url: string }> {
  const server = await freshRollupServer(postgres);
  servers.push(server);
  return server;
}

describe('SegmentBuilder', () => {
  it('adds each block once when run twice, beside itself, and after being killed between its steps', async () => {
    const server = await freshServer();
    const random = randomNumbers(21);
    const flushes = randomFlushes(random);
    await Promise.all(flushes.map((flush) => storeFlush(server, flush)));
    const keys = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000);

    // Killed after the segment was written and before it was noted: the database takes both back.
    const broken = new SegmentBuilder(
      server.dataSource,
      Object.assign(new WindowRepository(server.dataSource), { setBuilt: () => Promise.reject(new Error('killed')) }),
      server.blocks,
      server.segments,
      server.pool,
    );
    for (const key of keys) await expect(broken.build(key)).rejects.toThrow('killed');
    await checkCover(server, flushes, random);

    const outcomes = await Promise.all([...keys, ...keys, ...keys].map((key) => server.builder.build(key)));
    expect(outcomes.filter((outcome) => outcome === 'built').length).toBe(keys.length);
    await checkCover(server, flushes, random);

    const late = randomFlushes(random, 1000);
    await Promise.all(late.map((flush) => storeFlush(server, flush)));
    await Promise.all([buildAll(server), buildAll(server)]);
    for (let times = 0; times < 4; times += 1) await checkCover(server, [...flushes, ...late], random);
  });

  /** A builder that does `meanwhile` between reading and computing. */
  async function buildInterruptedBy(server: RollupServer, meanwhile: () => Promise<unknown>, key: WindowKey) {
    class InterruptedPool extends WorkerPool {
      override async run<Task, Result>(file: string, task: Task, options?: TaskOptions): Promise<Result> {
        await meanwhile();
        return super.run<Task, Result>(file, task, options);
      }
    }
    const pool = new InterruptedPool(1);
    try {
      return await new SegmentBuilder(server.dataSource, server.windows, server.blocks, server.segments, pool).build(key);
    } finally {
      await pool.onApplicationShutdown();
    }
  }

  it('holds up no block that arrives while it computes, and leaves the window pending for it', { timeout: 20_000 }, async () => {
    const server = await freshServer();
    const random = randomNumbers(31);
    const [first, second] = randomFlushes(random).filter((flush) => flush.samples.length > 0);
    const late = { ...first!, sequence: second!.sequence + 1000 };
    await storeFlush(server, first!);
    const [key] = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1);
    expect(await buildInterruptedBy(server, () => storeFlush(server, late), key!)).toBe('built');
    expect(await server.windows.listPending(Number.MAX_SAFE_INTEGER, 10)).toEqual([key]);
    await checkCover(server, [first!, late], random);
    await buildAll(server);
    expect(await server.windows.listPending(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    await checkCover(server, [first!, late], random);
  });

  it('drops what it computed when another builder was faster', { timeout: 20_000 }, async () => {
    const server = await freshServer();
    const random = randomNumbers(32);
    const flush = randomFlushes(random).find(({ samples }) => samples.length > 0)!;
    const late = { ...flush, sequence: flush.sequence + 1000 };
    await storeFlush(server, flush);
    const [key] = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1);
    const meanwhile = async () => {
      await storeFlush(server, late);
      await server.builder.build(key!);
    };
    expect(await buildInterruptedBy(server, meanwhile, key!)).toBe('nothing-to-do');
    await checkCover(server, [flush, late], random);
  });
});
