import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actualMerged, checkCover, checkWhileStoring, expectedMerged } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { DAYS, flushesOfDays, randomNumbers, SERVICE, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import {
  buildAll,
  countTransactions,
  freshRollupServer,
  sealAll,
  startRollupServer,
  storeFlush,
  type RollupServer,
} from '../../../../../test/support/rollup-server.js';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { DAY_MS, LEVELS, PinnedTotals, WindowRepository } from '../profile-store/index.js';
import type { CoverQuery } from '../rollup/index.js';
import { epochOf, epochOfPinned } from '../stacks/index.js';
import { PinnedTransactions } from '../transactions/index.js';
import { PinKeeper } from './pin-keeper.js';

/** Of processes 1 and 2 of the made profiles; those of revision 2 are not kept. */
const PIN = { serviceId: SERVICE, revisionId: 1 };
const ANY_TIME = Number.MAX_SAFE_INTEGER;
const EVERYTHING = { ...PIN, daysBeforeMs: ANY_TIME, transactionsBeforeMs: 0 };
/** The days of the made profiles, so early that the turn of the month is in their middle; whole days. */
const EARLIER_MS = 2 * DAY_MS;
const SPAN = {
  fromMs: Math.floor((DAYS.fromMs - EARLIER_MS) / DAY_MS) * DAY_MS,
  untilMs: Math.ceil((DAYS.untilMs - EARLIER_MS) / DAY_MS) * DAY_MS,
};
const ALL: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, ...SPAN };
const MONTHS = [epochOf(SPAN.fromMs), epochOf(SPAN.untilMs)];
const flushesOfMonths = (random: () => number, firstSequence = 0): RawFlush[] =>
  flushesOfDays(random, firstSequence).map((flush) => ({ ...flush, startMs: flush.startMs - EARLIER_MS }));
const isPinned = (flush: RawFlush) => flush.revisionId === PIN.revisionId;

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
  await server.pins.pin(PIN, 1, 0);
  return server;
}

/** As expiry does with what is past and not pinned. */
async function removeOthers(server: RollupServer): Promise<void> {
  const past = { beforeMs: ANY_TIME, serviceIds: [SERVICE] };
  await inDatabaseTransaction(server.dataSource, async ({ client }) => {
    for (const day of await server.windows.removeSealedDays(client, past, [PIN.revisionId], 1000))
      await server.segments.delete(client, LEVELS.day, day);
  });
}

/** Blocks and windows of which nothing is left, and then the stacks of their months. */
async function dropUnused(server: RollupServer): Promise<void> {
  await server.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
  await server.work.dropEmptyPartitions();
  await server.unusedEpochs.drop();
}

const rowsOf = async (server: RollupServer, table: string) =>
  ((await server.dataSource.query(`SELECT count(*) AS rows FROM ${table}`)) as { rows: number }[])[0]!.rows;
const epochsOf = async (server: RollupServer) => (await server.dictionaries.listEpochs()).map(({ epoch }) => epoch);

/** Stores flushes, and merges them into days for good. */
async function storeSealed(server: RollupServer, flushes: readonly RawFlush[]): Promise<void> {
  for (const flush of flushes) await storeFlush(server, flush);
  await sealAll(server);
}

describe('PinKeeper', () => {
  it.each([1, 2, 3])(
    'keeps what every answer about a pinned revision needs, over two months, late profiles too (seed %i)',
    { timeout: 180_000 },
    async (seed) => {
      const random = randomNumbers(seed);
      const server = await freshServer();
      const flushes = flushesOfMonths(random).sort(() => random() - 0.5);
      const stored: RawFlush[] = [];
      while (stored.length < flushes.length) {
        const next = flushes.slice(stored.length, stored.length + 20 + Math.floor(random() * 40));
        await Promise.all(next.map((flush) => storeFlush(server, flush)));
        stored.push(...next);
        if (random() < 0.5) await sealAll(server);
        else await buildAll(server);
        // Some of the days, and beside one that does the same.
        const some = { ...EVERYTHING, daysBeforeMs: SPAN.fromMs + Math.floor(random() * 5) * DAY_MS };
        await Promise.all([server.keeper.keep(some), server.keeper.keep(some)]);
        await checkCover(server, stored, random, SPAN);
      }
      await sealAll(server);
      await server.keeper.keep(EVERYTHING);
      for (let times = 0; times < 3; times += 1) await checkCover(server, stored, random, SPAN);

      await removeOthers(server);
      await dropUnused(server);
      const kept = stored.filter(isPinned);
      for (const table of ['day_window', 'day_totals', 'release_totals', 'hour_segment', 'segment'])
        expect([table, await rowsOf(server, table)]).toEqual([table, 0]);
      expect(await epochsOf(server)).toEqual([epochOfPinned(PIN.revisionId)]);
      for (let times = 0; times < 5; times += 1) await checkCover(server, kept, random, SPAN);

      // What comes late for months that are gone begins anew, and is added when it is past.
      const late = flushesOfMonths(random, 1000).filter(isPinned).slice(0, 15);
      for (const flush of late) await storeFlush(server, flush);
      kept.push(...late);
      await checkCover(server, kept, random, SPAN);
      await sealAll(server);
      await checkCover(server, kept, random, SPAN);
      const version = await server.windows.versionOf(ALL);
      await server.keeper.keep(EVERYTHING);
      expect(await server.windows.versionOf(ALL)).toBe(version);
      await dropUnused(server);
      expect(await epochsOf(server)).toEqual([epochOfPinned(PIN.revisionId)]);
      for (let times = 0; times < 5; times += 1) await checkCover(server, kept, random, SPAN);
    },
  );

  it('loses and doubles nothing when it is killed between its steps, and keeps the month until it has finished', async () => {
    const server = await freshServer();
    const random = randomNumbers(11);
    const flushes = flushesOfMonths(random).filter(isPinned);
    await storeSealed(server, flushes);
    const killed = () => Promise.reject(new Error('killed'));
    const killedAt = (step: 'put' | 'removeDay') =>
      new PinKeeper(
        server.dataSource,
        server.pins,
        step === 'removeDay' ? Object.assign(new WindowRepository(server.dataSource), { removeDay: killed }) : server.windows,
        server.segments,
        step === 'put' ? Object.assign(new PinnedTotals(server.dataSource), { put: killed }) : server.pinnedTotals,
        new PinnedTransactions(server.dataSource),
        server.dictionaries,
        server.pool,
      );
    for (const step of ['put', 'removeDay'] as const) {
      await expect(killedAt(step).keep(EVERYTHING)).rejects.toThrow('killed');
      await dropUnused(server);
      expect(await epochsOf(server)).toEqual(MONTHS); // the copy that nothing names is gone, and begun again below
      expect(await rowsOf(server, 'pinned_totals')).toBe(0);
      await checkCover(server, flushes, random, SPAN);
    }
    const [first] = await server.windows.listPastDays(PIN, ANY_TIME, 1);
    expect(await server.keeper.keepDay(first!)).toBe('kept');
    expect(await server.keeper.keepDay(first!)).toBe('nothing-to-do');
    await dropUnused(server);
    expect(await epochsOf(server)).toEqual([epochOfPinned(PIN.revisionId), ...MONTHS]);
    await checkCover(server, flushes, random, SPAN);
    await Promise.all([1, 2, 3].map(async () => server.keeper.keep(EVERYTHING)));
    await dropUnused(server);
    expect(await epochsOf(server)).toEqual([epochOfPinned(PIN.revisionId)]);
    await checkCover(server, flushes, random, SPAN);
  });

  it(
    'is right at every moment while late profiles arrive and two servers build, seal, keep and drop',
    { timeout: 180_000 },
    async () => {
      const server = await freshServer();
      const other = await startRollupServer(server.url);
      servers.push(other);
      const random = randomNumbers(78);
      const flushes = flushesOfMonths(random).filter((flush) => isPinned(flush) && flush.profileTypeId === 1);
      const sealAndKeep = async (one: RollupServer) => {
        await sealAll(one);
        // The stacks of a day may go with its month while it is read: whoever looks again finds it kept.
        await one.keeper.keep(EVERYTHING).catch((error: unknown) => {
          const faults = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
          for (const fault of faults) expect(fault).toMatchObject({ code: 'STACK_EPOCH_GONE' });
        });
      };
      const reads = await checkWhileStoring([server, other], flushes, ALL, random, async (one) => {
        await Promise.all([sealAndKeep(one), one === server ? server.unusedEpochs.drop() : undefined]);
      });
      expect(reads).toBeGreaterThan(3);
      await sealAll(server);
      await server.keeper.keep(EVERYTHING);
      expect(await rowsOf(server, 'day_window')).toBe(0);
      expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, ALL));
    },
  );

  it('throws its work away where the day has changed since it was read', async () => {
    const server = await freshServer();
    const random = randomNumbers(14);
    const flushes = flushesOfMonths(random).filter(isPinned);
    const first = flushes.find((flush) => flush.profileTypeId === 1 && flush.samples.length > 0)!;
    await storeSealed(server, flushes);
    const startOfDay = Math.floor(first.startMs / DAY_MS) * DAY_MS;
    const key = (await server.windows.listPastDays(PIN, ANY_TIME, 1000)).find(
      (day) => day.profileTypeId === first.profileTypeId && day.windowStartMs === startOfDay,
    )!;
    let sequence = 5000;
    const arriveLate = async () => {
      sequence += 1;
      const late = { ...first, sequence, startMs: first.startMs + sequence };
      flushes.push(late);
      await storeSealed(server, [late]);
    };
    const keepAndArriveLate = async () => {
      await server.keeper.keep(EVERYTHING);
      await arriveLate();
    };
    /** Keeps the day; once it has been read, something else happens first. */
    const keepBehind = async (happens: () => Promise<void>) => {
      const pool = new WorkerPool(1);
      let hasHappened = false;
      const run: WorkerPool['run'] = async (file, task, options) => {
        if (!hasHappened) {
          hasHappened = true;
          await happens();
        }
        return server.pool.run(file, task, options);
      };
      const keeper = new PinKeeper(
        server.dataSource,
        server.pins,
        server.windows,
        server.segments,
        server.pinnedTotals,
        new PinnedTransactions(server.dataSource),
        server.dictionaries,
        Object.assign(pool, { run }),
      );
      const outcome = await keeper.keepDay(key);
      await pool.onApplicationShutdown();
      expect(hasHappened).toBe(true);
      return outcome;
    };
    expect(await keepBehind(arriveLate)).toBe('nothing-to-do');
    await checkCover(server, flushes, random, SPAN);
    // Kept by somebody else, and a day anew of what came after it.
    expect(await keepBehind(keepAndArriveLate)).toBe('nothing-to-do');
    await checkCover(server, flushes, random, SPAN);
    // Of as many profiles as the day that was read: what is kept tells that it is another one.
    expect(await keepBehind(keepAndArriveLate)).toBe('nothing-to-do');
    await checkCover(server, flushes, random, SPAN);
    expect(await server.keeper.keepDay(key)).toBe('kept');
    for (let times = 0; times < 3; times += 1) await checkCover(server, flushes, random, SPAN);
  });

  it('keeps nothing of a revision that is pinned no more, whoever is faster, and its disk comes back', async () => {
    const server = await freshServer();
    const flushes = flushesOfMonths(randomNumbers(12)).filter(isPinned);
    await storeSealed(server, flushes);
    const days = await server.windows.listPastDays(PIN, ANY_TIME, 1000);
    await server.keeper.keepDay(days[0]!);
    const unpin = () => server.pins.unpin(PIN, (client) => server.pinnedTotals.remove(client, PIN));
    await Promise.all([server.keeper.keep(EVERYTHING), unpin()]);
    expect(await rowsOf(server, 'pinned_totals')).toBe(0);
    // Those that were not kept when the pin ended are days like any others.
    const left = await server.windows.listPastDays(PIN, ANY_TIME, 1000);
    expect(left.length).toBeLessThan(days.length);
    await server.keeper.keep(EVERYTHING);
    expect(await server.windows.listPastDays(PIN, ANY_TIME, 1000)).toEqual(left);
    expect((await server.pinnedTotals.partitions.list()).length).toBeGreaterThan(0);
    await server.pinnedTotals.partitions.returnRoom();
    expect(await server.pinnedTotals.partitions.list()).toEqual([]);
    await server.unusedEpochs.drop();
    expect(await epochsOf(server)).not.toContain(epochOfPinned(PIN.revisionId));

    // Pinned again it begins anew.
    await server.pins.pin(PIN, 1, 0);
    await server.keeper.keep(EVERYTHING);
    expect(await rowsOf(server, 'pinned_totals')).toBe(left.length);
    const isLeft = (flush: RawFlush) =>
      left.some(
        (day) =>
          day.profileTypeId === flush.profileTypeId &&
          day.environmentId === flush.environmentId &&
          day.windowStartMs === Math.floor(flush.startMs / DAY_MS) * DAY_MS,
      );
    expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes.filter(isLeft), ALL));
  });

  it('keeps transactions by the minute while a range can cut their day', async () => {
    const server = await freshServer();
    const flush = flushesOfMonths(randomNumbers(15)).find((one) => isPinned(one) && one.samples.length > 0)!;
    const dayMs = Math.floor(flush.startMs / DAY_MS) * DAY_MS;
    const keep = () => server.keeper.keep({ ...EVERYTHING, transactionsBeforeMs: ANY_TIME });
    const startsIn = async (table: string) =>
      (await server.dataSource.query(`SELECT window_start_ms AS at FROM ${table} ORDER BY 1`)) as unknown[];
    const [minute, otherMinute] = [dayMs + 7 * 60_000, dayMs + 5 * DAY_MS + 60_000];
    await countTransactions(server, [minute, otherMinute]);
    await storeFlush(server, flush);
    await buildAll(server);
    await keep();
    expect(await startsIn('transaction_window')).toEqual([{ at: minute }]);
    expect(await startsIn('pinned_transaction')).toEqual([{ at: dayMs + 5 * DAY_MS }]);
    await sealAll(server);
    await keep();
    expect(await startsIn('transaction_window')).toEqual([]);
    expect(await startsIn('pinned_transaction')).toEqual([{ at: dayMs }, { at: dayMs + 5 * DAY_MS }]);
  });

  it('leaves a day whose processes are told apart no more where it is', async () => {
    const server = await freshServer();
    const flushes = flushesOfMonths(randomNumbers(13)).filter(isPinned);
    await storeSealed(server, flushes);
    await server.dataSource.query('DELETE FROM release_totals WHERE profile_type_id = 1');
    await server.keeper.keep(EVERYTHING);
    expect(await rowsOf(server, 'day_totals')).toBe((await server.windows.listPastDays(PIN, ANY_TIME, 1000)).length);
    expect(await rowsOf(server, 'pinned_totals')).toBeGreaterThan(0);
    expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, ALL));
  });

  it('comes to every day, however many older ones cannot be kept', async () => {
    const server = await freshServer();
    await storeSealed(server, flushesOfMonths(randomNumbers(16)).filter(isPinned));
    const days = await server.windows.listPastDays(PIN, ANY_TIME, 1000);
    const key = 'service_id, profile_type_id, window_start_ms, revision_id, environment_id';
    const stuck = `SELECT ${SERVICE}, 0, ${days[0]!.windowStartMs}, ${PIN.revisionId}, n`;
    const numbers = 'FROM generate_series(1, 2100) AS n';
    await server.dataSource.query(
      `INSERT INTO day_window (${key}, sequence, built_sequence, is_sealed) ${stuck}, 1, 1, true ${numbers}`,
    );
    await server.dataSource.query(`INSERT INTO day_totals (${key}, totals) ${stuck}, '' ${numbers}`);
    await server.keeper.keep(EVERYTHING);
    expect(await rowsOf(server, 'pinned_totals')).toBe(days.length);
    expect(await rowsOf(server, 'day_window')).toBe(2100);
  });
});
