import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actualMerged, checkCover, expectedMerged, repeatWhileStoring } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { END, randomFlushes, randomNumbers, SERVICE, START, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import { startReplica, type TestReplica } from '../../../../../test/support/replica.js';
import {
  buildAll,
  freshRollupServer,
  startRollupServer,
  storeFlush,
  type RollupServer,
} from '../../../../../test/support/rollup-server.js';
import { until } from '../../../../../test/support/until.js';
import { epochOf } from '../stacks/index.js';
import type { CoverQuery } from './cover.js';

/** Not the question here: a slow machine asks the replica all the same. */
const MAX_LAG_MS = 60_000;

let postgres: TestPostgres;
let replica: TestReplica;
const servers: RollupServer[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
  replica = await startReplica(postgres, { max_standby_streaming_delay: '200ms' });
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await replica?.stop();
  await postgres?.stop();
});

/** A writer with a database of its own, and a reader that asks the replica, with how often it did. */
async function writerAndReader() {
  const writer = await freshRollupServer(postgres);
  servers.push(writer);
  const asked = { primary: 0, replica: 0 };
  const url = Object.assign(new URL(writer.url), { port: new URL(replica.url).port }).href;
  await replica.caughtUp();
  const reader = await startRollupServer(writer.url, {
    reads: {
      replica: { url, maxLagMs: MAX_LAG_MS, poolSize: 4 },
      onRead: (database) => (asked[database] += 1),
    },
  });
  servers.push(reader);
  reader.reads.onApplicationBootstrap();
  await until(async () => ((reader.reads.lagMs ?? Infinity) < MAX_LAG_MS ? true : undefined));
  return { writer, reader, asked };
}

describe('Cover on a replica', () => {
  it('equals the merge of the raw profiles that the replica has, whatever is built', async () => {
    const { writer, reader, asked } = await writerAndReader();
    const random = randomNumbers(11);
    const flushes = randomFlushes(random).sort(() => random() - 0.5);
    for (let stored = 0; stored < flushes.length; stored += 25) {
      await Promise.all(flushes.slice(stored, stored + 25).map((flush) => storeFlush(writer, flush)));
      if (random() < 0.5) await buildAll(writer);
      await replica.caughtUp();
      await checkCover(reader, flushes.slice(0, stored + 25), random);
    }
    expect(asked.replica).toBeGreaterThan(10);
  });

  it('answers a state that the primary had, and knows every stack of it, while profiles arrive, builders race and partitions go', async () => {
    const { writer, reader, asked } = await writerAndReader();
    const random = randomNumbers(12);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    const flushes = randomFlushes(random)
      .concat(randomFlushes(random, 1_000))
      .filter((flush) => flush.profileTypeId === 1)
      .sort(() => random() - 0.5)
      // A stack that no flush before it has: an older dictionary does not hold it.
      .map((flush, at) => ({
        ...flush,
        samples: [...flush.samples, { path: `main>new${at}`, labelSetId: 1, value: 10_101, count: 1 }],
      }));
    const states = new Set([0]);
    const seen = new Set<number>();
    let stored = 0;
    const store = async (flush: RawFlush) => {
      stored += flush.samples.reduce((sum, one) => sum + one.value, 0);
      states.add(stored);
      await storeFlush(writer, flush);
    };
    const build = async () => {
      await buildAll(writer);
      if (random() < 0.3) await writer.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
    };
    const read = async () => {
      const { sum } = await reader.cover.merged(query);
      expect(states).toContain(sum);
      seen.add(sum);
    };
    await repeatWhileStoring(flushes, store, [build], [read, read]);
    expect(seen.size).toBeGreaterThan(5);
    expect(asked.replica).toBeGreaterThan(5);
    await replica.caughtUp();
    expect(await actualMerged(reader, query)).toEqual(expectedMerged(flushes, query));
  });

  it('asks the primary for the latest, with the replica far behind', async () => {
    const { writer, reader, asked } = await writerAndReader();
    const flushes = randomFlushes(randomNumbers(13)).filter((flush) => flush.profileTypeId === 1);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    await replica.pauseReplay();
    try {
      await Promise.all(flushes.map((flush) => storeFlush(writer, flush)));
      expect((await reader.cover.merged(query)).sum, 'recent: what the replica had').toBe(0);
      expect(await actualMerged(reader, { ...query, freshness: 'latest' })).toEqual(expectedMerged(flushes, query));
      expect(asked).toEqual({ primary: 1, replica: 1 });
    } finally {
      await replica.resumeReplay();
    }
  });

  it('asks the primary when the replica still shows what was dropped with its stacks', async () => {
    const { writer, reader, asked } = await writerAndReader();
    const flushes = randomFlushes(randomNumbers(14)).filter((flush) => flush.profileTypeId === 1);
    await Promise.all(flushes.map((flush) => storeFlush(writer, flush)));
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    await replica.caughtUp();
    await replica.pauseReplay();
    try {
      for (const table of ['block', 'profile_window']) await writer.dataSource.query(`DELETE FROM ${table}`);
      expect(await writer.dictionaries.drop({ serviceId: SERVICE, epoch: epochOf(START) }, async () => false)).toBe(true);
      expect((await reader.cover.merged(query)).sum).toBe(0);
      expect(asked).toEqual({ primary: 1, replica: 1 });
    } finally {
      await replica.resumeReplay();
    }
  });

  it('stops on the replica when its reader leaves', async () => {
    const { writer, reader } = await writerAndReader();
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    const holder = writer.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE block IN ACCESS EXCLUSIVE MODE');
    await replica.caughtUp(); // the lock too
    const leaving = new AbortController();
    const answer = reader.cover.merged({ ...query, signal: leaving.signal });
    setTimeout(() => {
      leaving.abort();
    }, 100);
    await expect(answer).rejects.toMatchObject({ code: 'QUERY_CANCELLED' });
    await holder.rollbackTransaction();
    await holder.release();
  });
});
