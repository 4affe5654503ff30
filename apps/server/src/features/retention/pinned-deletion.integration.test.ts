import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TimeRange } from '@hearth/profile-model';
import type { DeletionSelector } from '@hearth/query-contract';
import { checkCover } from '../../../../../test/support/check-cover.js';
import { startDeletionServer, type DeletionServer } from '../../../../../test/support/deletion-server.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { DAYS, flushesOfDays, randomNumbers, SERVICE, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import { buildAll, countTransactions, sealAll, storeFlush } from '../../../../../test/support/rollup-server.js';
import { ANY_STACK } from '../profile-store/build-segment.js';
import { DAY_MS, ErasureRepository, HOUR_MS, windowStart } from '../profile-store/index.js';
import { decodeDetail } from '../profile-store/segment-codec.js';
import { DeletionRanges } from './deletion-ranges.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions, type Labelled } from './deletions.repository.js';

/** Nothing is on its way here when a pass begins. */
const SETTLED_MS = 50;
const PIN = { serviceId: SERVICE, revisionId: 1 };
const EVERYTHING = { ...PIN, daysBeforeMs: Number.MAX_SAFE_INTEGER, transactionsBeforeMs: 0 };
const SPAN = { fromMs: windowStart(DAYS.fromMs, DAY_MS), untilMs: windowStart(DAYS.untilMs, DAY_MS) + DAY_MS };
const SECOND_DAY = { fromMs: SPAN.fromMs + DAY_MS, untilMs: SPAN.fromMs + 2 * DAY_MS };

let postgres: TestPostgres;
let place: DeletionServer;
const places: DeletionServer[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  for (const one of places) await one.close();
  await postgres?.stop();
});

async function freshPlace(): Promise<DeletionServer> {
  place = await startDeletionServer(postgres);
  places.push(place);
  await place.server.pins.pin(PIN, 1, 0);
  return place;
}

const rowsOf = async (table: string, where = 'true') =>
  ((await place.server.dataSource.query(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)) as [{ n: number }])[0].n;

const count = (...startsMs: readonly number[]) => countTransactions(place.server, startsMs);

/** Carries out an order, during which something else happens after its first step. */
async function eraseBehind({ fromMs, untilMs }: TimeRange, happens: () => Promise<void>) {
  const deletions = place.of(Deletions);
  const selector = { kind: 'range', fromMs, untilMs } as const;
  const order = await deletions.add({ projectId: 1, serviceId: SERVICE, service: 'shop', selector });
  const addStep = deletions.addStep.bind(deletions);
  let hasHappened = false;
  deletions.addStep = async (...step) => {
    if (!hasHappened) await happens();
    hasHappened = true;
    await addStep(...step);
  };
  const outcome = await place
    .of(DeletionRun)
    .run(order, SETTLED_MS)
    .catch((error: unknown) => error);
  deletions.addStep = addStep;
  expect(hasHappened).toBe(true);
  expect((await deletions.find(order))!.status).toBe(outcome === undefined ? 'done' : 'failed');
  return outcome;
}

const erase = async ({ fromMs, untilMs }: TimeRange) => carryOut({ kind: 'range', fromMs, untilMs });

/** Twice at once, and again. @returns Rows that went. */
async function carryOut(selector: DeletionSelector, labelled?: Labelled): Promise<number> {
  const order = await place.of(Deletions).add({ projectId: 1, serviceId: SERVICE, service: 'shop', selector }, labelled);
  await Promise.all([0, 1].map(async () => place.of(DeletionRun).run(order, SETTLED_MS)));
  await place.of(DeletionRun).run(order, SETTLED_MS);
  const done = (await place.of(Deletions).find(order))!;
  expect(done).toMatchObject({ status: 'done' });
  return done.rowsRemoved;
}

describe('deleting a range of time', () => {
  it('takes it from what is kept of pinned revisions, day by day, and cuts none of their days', async () => {
    const { server, of } = await freshPlace();
    const random = randomNumbers(6);
    let left: readonly RawFlush[] = flushesOfDays(random);
    const version = async () => Number(await server.windows.versionOf({ serviceId: SERVICE, profileTypeId: 1, ...SPAN }));
    const rowsKept = (where: string) => rowsOf('pinned_totals', where);
    const without = (range: TimeRange) => left.filter(({ startMs }) => startMs < range.fromMs || startMs >= range.untilMs);
    const check = async () => {
      for (let times = 0; times < 3; times += 1) await checkCover(server, left, random, SPAN);
    };
    for (const flush of left) await storeFlush(server, flush);
    await sealAll(server);
    await server.work.dropBuiltPartitions(Date.now() + 3 * HOUR_MS); // so that only days are counted below
    await server.keeper.keep({ ...EVERYTHING, daysBeforeMs: SPAN.fromMs + 3 * DAY_MS });
    await server.dataSource.query('DELETE FROM day_window WHERE revision_id = 2 AND window_start_ms < $1', [SPAN.untilMs]);
    await server.dataSource.query('DELETE FROM day_totals WHERE revision_id = 2');
    await server.dataSource.query('DELETE FROM release_totals WHERE revision_id = 2');
    left = left.filter(({ revisionId }) => revisionId === 1);
    await check();

    const cut = { fromMs: SECOND_DAY.fromMs + HOUR_MS, untilMs: SECOND_DAY.untilMs };
    await expect(of(DeletionRanges).assertEven(SERVICE, cut)).rejects.toMatchObject({ code: 'DELETION_RANGE_UNEVEN' });
    const before = await version();
    const inDay = `window_start_ms = ${SECOND_DAY.fromMs}`;
    expect(await erase(SECOND_DAY)).toBe(await rowsKept(inDay));
    expect(await rowsKept(inDay)).toBeGreaterThan(0);
    expect(await version()).toBeGreaterThan(before);
    left = without(SECOND_DAY);
    await check();

    // Days that are not kept yet: what is left of them moves, and nothing of it comes back.
    const late = flushesOfDays(random, 1000)
      .filter(({ revisionId }) => revisionId === 1)
      .slice(0, 10);
    for (const flush of late) await storeFlush(server, flush);
    left = [...left, ...late];
    await sealAll(server);
    await check();
    await erase(SECOND_DAY);
    left = without(SECOND_DAY);
    await check();
    await server.keeper.keep(EVERYTHING);
    expect(await server.windows.listPastDays(PIN, Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    await check();
    await erase(SPAN);
    left = [];
    await check();
  });

  it('cuts no day of their transactions: it takes them as a whole, or refuses', async () => {
    const { server, of } = await freshPlace();
    const [morning, noon] = [SECOND_DAY.fromMs + 5 * HOUR_MS, SECOND_DAY.fromMs + 12 * HOUR_MS];
    await count(morning, noon);
    const untilNoon = { fromMs: SPAN.fromMs, untilMs: noon };
    await expect(of(DeletionRanges).assertEven(SERVICE, untilNoon)).resolves.toBeUndefined();
    await server.keeper.keep({ ...EVERYTHING, transactionsBeforeMs: SPAN.untilMs });
    const times = [SECOND_DAY.fromMs, SECOND_DAY.untilMs].map((atMs) => new Date(atMs).toISOString());
    const why = `may be ${times.join(' or ')}: what is there is only known in windows of 24 h, which are deleted as a whole`;
    const refused = (end: string) => ({ code: 'DELETION_RANGE_UNEVEN', message: `${end} ${why}` });
    await expect(of(DeletionRanges).assertEven(SERVICE, untilNoon)).rejects.toMatchObject(refused('until'));
    const fromNoon = { fromMs: noon, untilMs: SPAN.untilMs };
    await expect(of(DeletionRanges).assertEven(SERVICE, fromNoon)).rejects.toMatchObject(refused('from'));
    await expect(of(DeletionRanges).assertEven(SERVICE + 1, untilNoon)).resolves.toBeUndefined();
    expect(await erase(SECOND_DAY)).toBe(1);
    expect(await rowsOf('pinned_transaction')).toBe(0);
    await expect(of(DeletionRanges).assertEven(SERVICE, untilNoon)).resolves.toBeUndefined();
  });

  it('is refused by what moves into a day that it would cut while it runs', async () => {
    const { server } = await freshPlace();
    const uneven = { code: 'DELETION_RANGE_UNEVEN' };
    const noon = SECOND_DAY.fromMs + 12 * HOUR_MS;
    const untilNoon = { fromMs: SECOND_DAY.fromMs, untilMs: noon };
    const keepTransactions = () => server.keeper.keep({ ...EVERYTHING, transactionsBeforeMs: SPAN.untilMs });
    await count(noon - HOUR_MS, noon);
    expect(await eraseBehind(untilNoon, keepTransactions)).toMatchObject(uneven);
    expect(await rowsOf('pinned_transaction')).toBe(1);
    expect(await eraseBehind(SECOND_DAY, async () => count(noon).then(keepTransactions))).toBeUndefined();
    expect((await rowsOf('pinned_transaction')) + (await rowsOf('transaction_window'))).toBe(0);

    const isOfDay = ({ startMs, revisionId, samples }: RawFlush) =>
      revisionId === 1 && samples.length > 0 && windowStart(startMs, DAY_MS) === SECOND_DAY.fromMs;
    for (const flush of flushesOfDays(randomNumbers(8)).filter(isOfDay)) await storeFlush(server, flush);
    await buildAll(server);
    const ofDay = await place.of(ErasureRepository).hoursOfMinutes(SERVICE, SECOND_DAY);
    expect(ofDay.length).toBeGreaterThan(2);
    const keepDays = () => sealAll(server).then(() => server.keeper.keep(EVERYTHING));
    const twoHours = { fromMs: ofDay[0]!, untilMs: ofDay[1]! + HOUR_MS };
    expect(await eraseBehind(twoHours, keepDays)).toMatchObject(uneven);
  });
});

describe('deleting a value of a label', () => {
  it.each([
    [1, { labelSetIds: [2, 4], processIds: [] }],
    [2, { labelSetIds: [1], processIds: [2] }],
  ])('takes it out of what is kept of pinned revisions, and no byte names it (seed %i)', async (seed, labelled) => {
    const { server } = await freshPlace();
    const random = randomNumbers(seed);
    const flushes = flushesOfDays(random).filter(({ revisionId }) => revisionId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await sealAll(server);
    await server.keeper.keep({ ...EVERYTHING, daysBeforeMs: SPAN.fromMs + 3 * DAY_MS });
    const left = flushes
      .filter(({ processId }) => !labelled.processIds.includes(processId))
      .map((flush) => ({
        ...flush,
        samples: flush.samples.filter(({ labelSetId }) => !labelled.labelSetIds.includes(labelSetId)),
      }));
    const check = async () => {
      for (let times = 0; times < 4; times += 1) await checkCover(server, left, random, SPAN);
    };
    const version = async () => server.windows.versionOf({ serviceId: SERVICE, profileTypeId: 1, ...SPAN });
    const before = await version();
    expect(await carryOut({ kind: 'label', name: 'plan', value: 'pro' }, labelled)).toBeGreaterThan(0);
    expect(await version()).not.toBe(before);
    await check();
    await server.keeper.keep(EVERYTHING);
    await check();
    const rows = (await server.dataSource.query('SELECT detail FROM pinned_totals')) as { detail: Buffer }[];
    const parts = rows.flatMap(({ detail }) => decodeDetail(detail, ANY_STACK));
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.filter(({ processId }) => labelled.processIds.includes(processId))).toEqual([]);
    const labelSetIds = new Set(parts.flatMap((part) => part.rows.map(({ labelSetId }) => labelSetId)));
    expect(labelled.labelSetIds.filter((id) => labelSetIds.has(id))).toEqual([]);
  });
});
