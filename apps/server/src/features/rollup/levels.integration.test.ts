import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actualMerged, checkCover, checkWhileStoring, expectedMerged } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { DAYS, flushesOfDays, randomNumbers, SERVICE, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import {
  buildAll,
  freshRollupServer,
  sealAll,
  startRollupServer,
  storeFlush,
  workABit,
  type RollupServer,
} from '../../../../../test/support/rollup-server.js';
import { DAY_MS, LEVELS, WindowRepository, WINDOW_MS, windowStart } from '../profile-store/index.js';
import type { CoverQuery } from './cover.js';
import { UpperBuilder } from './upper-builder.js';

const ALL: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, ...DAYS };
const UPPER = [LEVELS.hour, LEVELS.day] as const;
const ANY_TIME = Number.MAX_SAFE_INTEGER;

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

const rowsOf = async (server: RollupServer, table: string) =>
  ((await server.dataSource.query(`SELECT count(*) AS rows FROM ${table}`)) as { rows: number }[])[0]!.rows;

describe('hours and days', () => {
  it.each([1, 2, 3])(
    'answer like the raw profiles, whatever is built, sealed or dropped, in any order of arrival (seed %i)',
    { timeout: 180_000 },
    async (seed) => {
      const random = randomNumbers(seed);
      const server = await freshServer();
      const flushes = flushesOfDays(random).sort(() => random() - 0.5);
      const stored: RawFlush[] = [];
      const check = () => checkCover(server, stored, random, DAYS);
      while (stored.length < flushes.length) {
        const next = flushes.slice(stored.length, stored.length + 1 + Math.floor(random() * 40));
        const version = await server.windows.versionOf(ALL);
        await Promise.all(next.map((flush) => storeFlush(server, flush)));
        stored.push(...next);
        const arrived = await server.windows.versionOf(ALL);
        expect(arrived === version).toBe(!next.some((flush) => flush.profileTypeId === 1));
        await check();
        await workABit(server, random);
        expect(await server.windows.versionOf(ALL)).toBe(arrived);
        await check();
        if (random() < 0.4) {
          for (const key of await server.windows.listPending(ANY_TIME, 1000)) await server.builder.build(key);
          await server.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
          // Profiles this old are not accepted in earnest: only without blocks may their windows begin anew.
          if ((await server.blocks.partitions.list()).length === 0) await server.work.dropEmptyPartitions();
          await check();
        }
      }
      await sealAll(server);
      await check();
      // All of it is in days now, and what comes late goes there too.
      expect([await rowsOf(server, 'segment'), await rowsOf(server, 'hour_segment')]).toEqual([0, 0]);
      const late = flushesOfDays(random, 1000).slice(0, 20);
      for (const flush of late) await storeFlush(server, flush);
      stored.push(...late);
      await check();
      await sealAll(server);
      expect([await rowsOf(server, 'segment'), await rowsOf(server, 'hour_segment')]).toEqual([0, 0]);
      for (let times = 0; times < 3; times += 1) await check();
    },
  );

  it(
    'are right at every moment while late profiles arrive and two servers build, seal and drop',
    { timeout: 180_000 },
    async () => {
      const random = randomNumbers(77);
      const server = await freshServer();
      const other = await startRollupServer(server.url);
      servers.push(other);
      const flushes = flushesOfDays(random).filter((flush) => flush.profileTypeId === 1);
      const workOn = async (one: RollupServer) => {
        await workABit(one, random);
        if (random() < 0.3) await one.work.dropBuiltPartitions(Date.now() + 3 * 3_600_000);
        for (const { partitions, partition, mayDrop } of await one.segments.droppable(Date.now()))
          await partitions.drop(partition, mayDrop);
      };
      // Two at once on either.
      const reads = await checkWhileStoring([server, other], flushes, ALL, random, async (one) => {
        await Promise.all([workOn(one), workOn(one)]);
      });
      expect(reads).toBeGreaterThan(3);
      const whole = await server.cover.resolution({ ...ALL, profileTypeIds: [1] });
      expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, { ...ALL, ...whole.range }));
      await sealAll(server);
      const days = await server.cover.resolution({ ...ALL, profileTypeIds: [1] });
      expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, { ...ALL, ...days.range }));
    },
  );

  it('lose and repeat nothing when a builder is killed between its steps', async () => {
    const server = await freshServer();
    const random = randomNumbers(21);
    const flushes = flushesOfDays(random);
    for (const flush of flushes.slice(0, 80)) await storeFlush(server, flush);
    const killedAt = (step: 'setBuilt' | 'setSealed' | 'raise') =>
      new UpperBuilder(
        server.dataSource,
        Object.assign(new WindowRepository(server.dataSource), { [step]: () => Promise.reject(new Error('killed')) }),
        server.segments,
        server.processStarts,
        server.pool,
      );
    const killAll = async () => {
      for (const level of UPPER) {
        for (const key of await server.windows.listPending(ANY_TIME, 1000, level))
          await expect(killedAt('setBuilt').build(level, key)).rejects.toThrow('killed');
        for (const key of await server.windows.listSealable(level, { beforeMs: ANY_TIME, serviceIds: [SERVICE] }, 1000))
          await expect(killedAt('setSealed').seal(level, key)).rejects.toThrow('killed');
      }
      await checkCover(server, stored, random, DAYS);
    };
    const stored = flushes.slice(0, 80);
    for (const key of await server.windows.listPending(ANY_TIME, 1000)) await server.builder.build(key);
    await killAll();
    await buildAll(server);
    await killAll();
    await sealAll(server);
    for (const flush of flushes.slice(80)) await storeFlush(server, flush);
    stored.push(...flushes.slice(80));
    for (const key of await server.windows.listPending(ANY_TIME, 1000)) await server.builder.build(key);
    await killAll();
    const outcomes = await Promise.all(
      [0, 1, 2].flatMap(async () => {
        const keys = await server.windows.listPending(ANY_TIME, 1000, LEVELS.hour);
        return Promise.all(keys.map((key) => server.upper.build(LEVELS.hour, key)));
      }),
    );
    expect(outcomes.flat()).toContain('built');
    expect(await server.windows.listPending(ANY_TIME, 1000, LEVELS.hour)).toEqual([]);
    await checkCover(server, stored, random, DAYS);
    await sealAll(server);
    await checkCover(server, stored, random, DAYS);
  });

  it('tell processes apart by age as long as the release is kept, and say so when it is not', async () => {
    const server = await freshServer();
    const flushes = flushesOfDays(randomNumbers(5)).filter((flush) => flush.profileTypeId === 1 && flush.samples.length > 0);
    for (const flush of flushes) await storeFlush(server, flush);
    await sealAll(server);
    await expect(server.cover.byProcess(ALL, new Map())).resolves.toMatchObject({ windowMs: 86_400_000 });
    await server.dataSource.query('DELETE FROM release_totals WHERE revision_id = 1');
    await expect(server.cover.byProcess(ALL, new Map())).rejects.toMatchObject({ code: 'PROCESS_DETAIL_EXPIRED' });
    await expect(server.cover.merged({ ...ALL, processIds: [1] })).rejects.toMatchObject({ code: 'PROCESS_DETAIL_EXPIRED' });
    await expect(server.cover.byProcess({ ...ALL, revisionIds: [2] }, new Map())).resolves.toBeDefined();
    const { range } = await server.cover.resolution({ ...ALL, profileTypeIds: [1] });
    expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, { ...ALL, ...range }));
    // A late profile of a forgotten release counts in its day, and does not bring back a part of the detail.
    const late = { ...flushes.find((flush) => flush.revisionId === 1)!, sequence: 9000 };
    await storeFlush(server, { ...late, startMs: late.startMs + 30_000 });
    await sealAll(server);
    await expect(server.cover.byProcess(ALL, new Map())).rejects.toMatchObject({ code: 'PROCESS_DETAIL_EXPIRED' });
    const { sum } = await server.cover.merged(ALL);
    expect(sum).toBe(expectedMerged([...flushes, { ...late, startMs: late.startMs + 30_000 }], { ...ALL, ...range }).sum);
  });

  it.each([1, 2])('are told of a service by the type that is known least finely (type %i is sealed)', async (sealed) => {
    const server = await freshServer();
    const flushes = flushesOfDays(randomNumbers(6)).filter((flush) => flush.revisionId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await buildAll(server);
    for (const level of UPPER)
      for (const key of await server.windows.listSealable(level, { beforeMs: ANY_TIME, serviceIds: [SERVICE] }, 1000))
        if (key.profileTypeId === sealed) await server.upper.seal(level, key);
    const sealedDays = new Set(
      flushes.filter((flush) => flush.profileTypeId === sealed).map(({ startMs }) => windowStart(startMs, DAY_MS)),
    );
    expect(sealedDays.size).toBeGreaterThan(1);
    for (const fromMs of sealedDays) {
      // The middle of the day: both ends would cut it.
      const asked = { ...ALL, fromMs: fromMs + 1, untilMs: fromMs + DAY_MS - 1 };
      const service = await server.cover.resolution({ ...asked, profileTypeIds: [1, 2] });
      expect(service).toEqual({ range: { fromMs, untilMs: fromMs + DAY_MS }, windowMs: DAY_MS });
      const cut = server.cover.steps({ ...asked, profileTypeId: sealed }, DAY_MS, 'none');
      await expect(cut).rejects.toMatchObject({ code: 'STEP_EXPIRED' });
      // What was told is a step that every type can be asked for.
      for (const profileTypeId of [1, 2]) {
        const query = { ...asked, profileTypeId, ...service.range };
        const { values } = await server.cover.steps(query, service.windowMs, 'none');
        expect(values[0]?.[0] ?? 0).toBe(expectedMerged(flushes, query).sum);
      }
    }
    const other = await server.cover.resolution({ ...ALL, profileTypeIds: [3 - sealed] });
    expect(other).toEqual({ range: { fromMs: DAYS.fromMs, untilMs: DAYS.untilMs }, windowMs: WINDOW_MS });
  });

  it('give an answer again while nothing has arrived, and another one when something has', async () => {
    const { url, ...first } = await freshServer();
    const server = await startRollupServer(url, { maxAnswerBytes: 1e6 });
    servers.push(server);
    const flushes = flushesOfDays(randomNumbers(8)).filter((flush) => flush.profileTypeId === 1);
    for (const flush of flushes.slice(1)) await storeFlush(first, flush);
    const answer = await server.cover.merged(ALL);
    await buildAll(first);
    expect(await server.cover.merged(ALL)).toBe(answer);
    expect(await server.cover.merged({ ...ALL, labelSetIds: [1] })).not.toBe(answer);
    await storeFlush(first, flushes[0]!);
    expect(await actualMerged(server, ALL)).toEqual(expectedMerged(flushes, ALL));
    // A range that is not over is not kept.
    const open = { ...ALL, untilMs: Date.now() };
    expect(await server.cover.merged(open)).not.toBe(await server.cover.merged(open));
  });
});
