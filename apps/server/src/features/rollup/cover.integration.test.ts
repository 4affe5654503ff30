import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actualMerged, checkCover, checkWhileStoring, expectedMerged } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { END, randomFlushes, randomNumbers, SERVICE, START, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import {
  buildAll,
  freshRollupServer,
  startRollupServer,
  storeFlush,
  type RollupServer,
} from '../../../../../test/support/rollup-server.js';
import type { CoverQuery } from './cover.js';

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

describe('Cover', () => {
  it.each([1, 2, 3, 4])(
    'equals the merge of the raw profiles, in any order of arrival and whatever is built (seed %i)',
    async (seed) => {
      const random = randomNumbers(seed);
      const server = await freshServer();
      const flushes = randomFlushes(random).sort(() => random() - 0.5);
      const stored: RawFlush[] = [];
      let drops = 0;
      while (stored.length < flushes.length) {
        const next = flushes.slice(stored.length, stored.length + 1 + Math.floor(random() * 25));
        await Promise.all(next.map((flush) => storeFlush(server, flush)));
        stored.push(...next);
        await checkCover(server, stored, random);
        const pending = await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000);
        for (const key of pending) if (random() < 0.5) await server.builder.build(key);
        await checkCover(server, stored, random);
        // With everything built the blocks may go: what comes late is only one more block.
        if (random() < 0.3 || stored.length === flushes.length) {
          await buildAll(server);
          await server.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
          drops += (await server.blocks.partitions.list()).length === 0 ? 1 : 0;
          await checkCover(server, stored, random);
        }
      }
      await buildAll(server);
      for (let times = 0; times < 4; times += 1) await checkCover(server, stored, random);
      expect(drops).toBeGreaterThan(0);
    },
  );

  it('is right at every moment while profiles arrive, builders race and partitions go', async () => {
    const random = randomNumbers(99);
    const server = await freshServer();
    const other = await startRollupServer(server.url);
    servers.push(other);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    const flushes = randomFlushes(random).filter((flush) => flush.profileTypeId === 1);
    const reads = await checkWhileStoring([server, other], flushes, query, random, async ({ windows, builder, work }) => {
      for (const key of await windows.listPending(Number.MAX_SAFE_INTEGER, 1000)) await builder.build(key);
      if (random() < 0.3) await work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
    });
    expect(reads).toBeGreaterThan(3);
    expect(await actualMerged(server, query)).toEqual(expectedMerged(flushes, query));
  });

  it('stops when its reader leaves, and answers damage with a code', async () => {
    const server = await freshServer();
    const random = randomNumbers(7);
    const flushes = randomFlushes(random);
    await Promise.all(flushes.map((flush) => storeFlush(server, flush)));
    await checkCover(server, flushes, random);
    await buildAll(server);
    await checkCover(server, flushes, random);

    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    const version = await server.windows.versionOf(query);
    expect(await server.windows.versionOf(query)).toBe(version);
    await storeFlush(server, { ...flushes.find((flush) => flush.profileTypeId === 1)!, sequence: 5000 });
    expect(await server.windows.versionOf(query)).not.toBe(version);

    await expect(server.cover.merged({ ...query, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'QUERY_CANCELLED',
    });
    // A builder that holds the table makes the reader wait in the database.
    const holder = server.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE block IN ACCESS EXCLUSIVE MODE');
    const leaving = new AbortController();
    const answer = server.cover.merged({ ...query, signal: leaving.signal });
    setTimeout(() => {
      leaving.abort();
    }, 50);
    await expect(answer).rejects.toMatchObject({ code: 'QUERY_CANCELLED' });
    await holder.rollbackTransaction();
    await holder.release();

    await server.dataSource.query('UPDATE segment SET totals = substring(totals for 40)');
    await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'SEGMENT_DAMAGED' });
    await server.dataSource.query(`UPDATE segment SET totals = '\\x63'`);
    await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'SEGMENT_CODEC' });
  });
});
