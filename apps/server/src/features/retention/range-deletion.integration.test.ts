import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TimeRange } from '@hearth/profile-model';
import { checkCover } from '../../../../../test/support/check-cover.js';
import { startDeletionServer, type DeletionServer } from '../../../../../test/support/deletion-server.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { DAYS, flushesOfDays, randomNumbers, SERVICE, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import { buildAll, sealAll, startRollupServer, storeFlush, workABit } from '../../../../../test/support/rollup-server.js';
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from '../profile-store/index.js';
import { DeletionRanges } from './deletion-ranges.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions, type DeletionRow } from './deletions.repository.js';

const ALL: TimeRange = { fromMs: windowStart(DAYS.fromMs, DAY_MS), untilMs: windowStart(DAYS.untilMs, DAY_MS) + DAY_MS };

let postgres: TestPostgres;
const servers: DeletionServer[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await postgres?.stop();
});
async function freshServer(): Promise<DeletionServer> {
  const server = await startDeletionServer(postgres);
  servers.push(server);
  return server;
}

const order = ({ of }: DeletionServer, { fromMs, untilMs }: TimeRange): Promise<DeletionRow> =>
  of(Deletions).add({ projectId: 1, serviceId: SERVICE, service: 'shop', selector: { kind: 'range', fromMs, untilMs } });
const found = async ({ of }: DeletionServer, key: DeletionRow) => (await of(Deletions).find(key))!;
/** What is left of the raw profiles. */
const without = (flushes: readonly RawFlush[], { fromMs, untilMs }: TimeRange) =>
  flushes.filter(({ startMs }) => startMs < fromMs || startMs >= untilMs);

/** A range whose ends cut nothing: of whole minutes, hours or days, whichever it must be. */
async function randomRange({ of }: DeletionServer, random: () => number): Promise<TimeRange> {
  for (const lengthMs of [WINDOW_MS, WINDOW_MS, HOUR_MS, HOUR_MS, DAY_MS]) {
    const ends = [0, 1]
      .map(() => windowStart(DAYS.fromMs + random() * (DAYS.untilMs - DAYS.fromMs), lengthMs))
      .sort((a, b) => a - b);
    const range = { fromMs: ends[0]!, untilMs: ends[1]! + lengthMs };
    const outcome = await of(DeletionRanges)
      .assertEven(SERVICE, range)
      .catch((error: unknown) => error);
    if (outcome === undefined) return range;
    expect(outcome).toMatchObject({ code: 'DELETION_RANGE_UNEVEN' });
  }
  return ALL;
}

const versionOf = async ({ server }: DeletionServer) =>
  Number(await server.windows.versionOf({ serviceId: SERVICE, profileTypeId: 1, ...ALL }));

async function rowsIn({ server }: DeletionServer, table: string, { fromMs, untilMs }: TimeRange): Promise<number> {
  const rows = (await server.dataSource.query(
    `SELECT count(*) AS n FROM ${table} WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3`,
    [SERVICE, fromMs, untilMs],
  )) as { n: number }[];
  return rows[0]!.n;
}

describe('deleting a range of time', () => {
  it.each([1, 2])(
    'leaves exactly the raw profiles of other times, whatever is built and sealed, and takes in what comes after (seed %i)',
    { timeout: 240_000 },
    async (seed) => {
      const random = randomNumbers(seed);
      const place = await freshServer();
      const { server, of } = place;
      const flushes = flushesOfDays(random).sort(() => random() - 0.5);
      let left: RawFlush[] = [];
      const check = () => checkCover(server, left, random, DAYS);
      for (let stored = 0; stored < flushes.length; stored += 30) {
        const next = flushes.slice(stored, stored + 30);
        await Promise.all(next.map((flush) => storeFlush(server, flush)));
        left.push(...next);
        await workABit(server, random);
        if (random() < 0.3) await server.work.dropBuiltPartitions(Date.now() + 3 * HOUR_MS);
        const range = await randomRange(place, random);
        const ordered = await order(place, range);
        const version = await versionOf(place);
        await of(DeletionRun).run(ordered);
        expect(await found(place, ordered)).toMatchObject({ status: 'done', errorCode: null });
        const isOfType = left.some(
          (flush) => flush.profileTypeId === 1 && flush.startMs >= range.fromMs && flush.startMs < range.untilMs,
        );
        left = without(left, range);
        // So that no answer which was kept is given again; two versions are never alike.
        const grown = (await versionOf(place)) - version;
        if (isOfType) expect(grown).toBeGreaterThan(0);
        else expect(grown).toBeGreaterThanOrEqual(0);
        for (const table of ['block', 'segment']) expect(await rowsIn(place, table, range), table).toBe(0);
        await check();
        await workABit(server, random);
        await check();
      }
      await sealAll(server);
      await check();
      await check();
      const last = await order(place, ALL);
      await of(DeletionRun).run(last);
      for (const table of ['block', 'segment', 'hour_segment', 'day_totals', 'release_totals'])
        expect(await rowsIn(place, table, ALL), table).toBe(0);
      left = [];
      await check();
      // What comes later is stored as ever.
      const late = flushesOfDays(random, 1000).slice(0, 20);
      for (const flush of late) await storeFlush(server, flush);
      left.push(...late);
      await check();
      await sealAll(server);
      await check();
    },
  );

  it('can be killed anywhere, run again, twice and beside itself, and counts each row once', { timeout: 240_000 }, async () => {
    const random = randomNumbers(31);
    const flushes = flushesOfDays(random);
    const range = { fromMs: DAYS.fromMs + 60 * WINDOW_MS, untilMs: windowStart(DAYS.untilMs, HOUR_MS) - HOUR_MS };
    const removed: number[] = [];
    for (const killAt of [undefined, 3, 14]) {
      const place = await freshServer();
      const { server, of } = place;
      for (const flush of flushes) await storeFlush(server, flush);
      for (const key of (await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)).slice(0, 60))
        await server.builder.build(key);
      const ordered = await order(place, range);
      if (killAt !== undefined) {
        let steps = 0;
        const deletions = of(Deletions);
        const addStep = deletions.addStep.bind(deletions);
        deletions.addStep = async (...step) => {
          if (steps === killAt) throw new Error('killed');
          steps += 1;
          await addStep(...step);
        };
        await expect(of(DeletionRun).run(ordered)).rejects.toThrow('killed');
        deletions.addStep = addStep;
        const stopped = await found(place, ordered);
        expect(stopped).toMatchObject({ status: 'pending', attempts: 1, errorMessage: 'killed' });
        expect(stopped.nextAttemptMs).toBeGreaterThan(Date.now());
      }
      await Promise.all([0, 1, 2].map(() => of(DeletionRun).run(ordered)));
      const done = await found(place, ordered);
      expect(done.status).toBe('done');
      removed.push(done.rowsRemoved);
      await of(DeletionRun).run(ordered);
      expect(await found(place, ordered)).toEqual(done);
      for (let times = 0; times < 3; times += 1) await checkCover(server, without(flushes, range), random, DAYS);
      await buildAll(server);
      await checkCover(server, without(flushes, range), random, DAYS);
    }
    expect(removed[0]).toBeGreaterThan(60);
    expect(new Set(removed)).toEqual(new Set([removed[0]]));
  });

  it('is right beside builders, sealing and senders of other times', { timeout: 240_000 }, async () => {
    const random = randomNumbers(55);
    const place = await freshServer();
    const { server, of } = place;
    const other = await startRollupServer(place.url);
    const flushes = flushesOfDays(random).sort(() => random() - 0.5);
    const range = { fromMs: windowStart(DAYS.fromMs, DAY_MS) + DAY_MS, untilMs: windowStart(DAYS.untilMs, DAY_MS) };
    const outside = without(flushes, range);
    const inside = flushes.filter((flush) => !outside.includes(flush));
    try {
      for (const flush of [...inside, ...outside.slice(0, 20)]) await storeFlush(server, flush);
      let isOver = false;
      const work = async () => {
        while (!isOver) await workABit(other, random);
      };
      const send = async () => {
        for (const flush of outside.slice(20)) await storeFlush(other, flush);
      };
      const remove = async () => {
        const ordered = await order(place, range);
        for (let tries = 0; (await found(place, ordered)).status !== 'done' && tries < 5; tries += 1)
          await of(DeletionRun)
            .run(ordered)
            .catch(() => undefined);
        expect(await found(place, ordered)).toMatchObject({ status: 'done' });
      };
      await Promise.all([work(), Promise.all([send(), remove()]).finally(() => (isOver = true))]);
      for (let times = 0; times < 3; times += 1) await checkCover(server, outside, random, DAYS);
      await sealAll(server);
      for (let times = 0; times < 3; times += 1) await checkCover(server, outside, random, DAYS);
      for (const table of ['segment', 'hour_segment', 'day_totals', 'release_totals'])
        expect(await rowsIn(place, table, range), table).toBe(0);
    } finally {
      await other.close();
    }
  });

  it('refuses to cut what is only known as a whole, and says which ends would do', async () => {
    const place = await freshServer();
    const { server, of } = place;
    const flushes = flushesOfDays(randomNumbers(3));
    for (const flush of flushes) await storeFlush(server, flush);
    await buildAll(server);
    const hour = windowStart(flushes[0]!.startMs, HOUR_MS);
    const ranges = of(DeletionRanges);
    await expect(
      ranges.assertEven(SERVICE, { fromMs: hour + WINDOW_MS, untilMs: hour + 2 * WINDOW_MS }),
    ).resolves.toBeUndefined();
    await expect(ranges.assertEven(SERVICE, { fromMs: hour + 1, untilMs: hour + WINDOW_MS })).rejects.toMatchObject({
      code: 'DELETION_RANGE_UNEVEN',
      message: `from may be ${new Date(hour).toISOString()} or ${new Date(hour + WINDOW_MS).toISOString()}: minutes are deleted as a whole`,
    });
    // Ordered in time, and merged for good before a worker came to it.
    const late = await order(place, { fromMs: hour, untilMs: hour + 30 * WINDOW_MS });
    await sealAll(server);
    const day = windowStart(hour, DAY_MS);
    await expect(ranges.assertEven(SERVICE, { fromMs: hour, untilMs: day + DAY_MS })).rejects.toMatchObject({
      code: 'DELETION_RANGE_UNEVEN',
      message: `from may be ${new Date(day).toISOString()} or ${new Date(day + DAY_MS).toISOString()}: what is there is only known in windows of 24 h, which are deleted as a whole`,
    });
    await expect(ranges.assertEven(SERVICE, { fromMs: day, untilMs: day + DAY_MS })).resolves.toBeUndefined();
    await expect(of(DeletionRun).run(late)).rejects.toMatchObject({ code: 'DELETION_RANGE_UNEVEN' });
    expect(await found(place, late)).toMatchObject({ status: 'failed', errorCode: 'DELETION_RANGE_UNEVEN', attempts: 1 });
    await checkCover(server, flushes, randomNumbers(4), DAYS);
  });
});
