import { labelSet } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, inDatabaseTransaction, ReadDatabase, runMigrations } from '../../platform/database/index.js';
import { encodeExemplarBody } from './exemplar-body.js';
import { ExemplarRepository, nameHash, type Exemplar } from './exemplar.repository.js';
import { Exemplars } from './exemplars.js';
import { SLOWEST_PER_HOUR } from './slowest.js';

const [MINUTE, HOUR] = [60_000, 3_600_000];
const T = Date.UTC(2026, 10, 20, 12);
const SERVICE = 1;

let postgres: TestPostgres;
let database: DataSource;
let exemplars: Exemplars;
let body: Uint8Array;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  database = await connectDataSource({ url: postgres.url });
  const none = new Int32Array();
  body = (await encodeExemplarBody({
    traceId: '',
    spanId: '',
    functions: { length: 0, name: [], package: [], file: [] },
    stacks: { length: 0, parent: none, functionRow: new Uint32Array() },
    spans: { name: [], parent: none, startMicros: none, durationMicros: none, outcome: [], inputs: [] },
    samples: { stack: none, startMicros: none, wallMicros: none, cpuMicros: none, span: none },
    waits: { stack: none, startMicros: none, durationMicros: none, span: none },
  }))!;
});
afterAll(async () => {
  await database?.destroy();
  await postgres?.stop();
});
beforeEach(async () => {
  exemplars = newExemplars();
  await exemplars.partitions.ensure([T, T + HOUR, T + 24 * HOUR]);
  await database.query('DELETE FROM exemplar');
});

const newExemplars = () => new Exemplars(new ExemplarRepository(database, new ReadDatabase(database)));
const run = (durationMicros: number, change: Partial<Exemplar> & { name?: string } = {}): Exemplar => {
  const { name = 'job', ...given } = change;
  return {
    serviceId: SERVICE,
    windowStartMs: T,
    processId: 1,
    revisionId: 1,
    environmentId: 1,
    labelSetId: 1,
    nameHash: nameHash(name),
    kind: 'http',
    outcome: 'ok',
    startMs: given.windowStartMs ?? T,
    durationMicros,
    cpuMicros: 10,
    awaitedMicros: 20,
    sampleCount: 3,
    keptSampleCount: 2,
    waitCount: 1,
    spanCount: 0,
    context: [],
    inputs: [],
    body,
    ...given,
  };
};
async function add(...added: readonly Exemplar[]): Promise<void> {
  exemplars.learn(await inDatabaseTransaction(database, async ({ client }) => exemplars.add(client, added)));
}
const range = { fromMs: T, untilMs: T + 24 * HOUR };
const durations = async (name = 'job', filter: object = {}) =>
  (await exemplars.list({ serviceId: SERVICE, ...range, name, ...filter }, 100, 'latest')).map((one) => one.durationMicros);
const ignore = async () => undefined;

describe('Exemplars', () => {
  it('keeps the slowest of each hour, and lets the fastest go when one more is slower', async () => {
    const some = Array.from({ length: SLOWEST_PER_HOUR }, (_, at) => run(100 + at));
    await add(...some);
    expect(await durations()).toEqual([104, 103, 102, 101, 100]);
    await add(run(99));
    await add(run(100));
    expect(await durations()).toEqual([104, 103, 102, 101, 100]);
    await add(run(101), run(500));
    expect(await durations()).toEqual([500, 104, 103, 102, 101]);
  });

  it('counts each name, revision, environment and hour by itself', async () => {
    const full = (change: Parameters<typeof run>[1]) =>
      Array.from({ length: SLOWEST_PER_HOUR + 1 }, (_, at) => run(10 + at, change));
    await add(
      ...full({}),
      ...full({ name: 'other' }),
      ...full({ revisionId: 2 }),
      ...full({ environmentId: 2 }),
      ...full({ windowStartMs: T + HOUR - MINUTE }),
      ...full({ windowStartMs: T + HOUR }),
      ...full({ serviceId: 2 }),
    );
    expect((await durations()).length).toBe(4 * SLOWEST_PER_HOUR);
    expect((await durations('other')).length).toBe(SLOWEST_PER_HOUR);
    expect((await durations('job', { revisionIds: [2] })).length).toBe(SLOWEST_PER_HOUR);
    expect((await durations('job', { environmentIds: [2] })).length).toBe(SLOWEST_PER_HOUR);
    expect((await durations('job', { fromMs: T + HOUR })).length).toBe(SLOWEST_PER_HOUR);
    expect((await durations('job', { untilMs: T + HOUR })).length).toBe(3 * SLOWEST_PER_HOUR);
    expect((await durations('job', { serviceId: 2 })).length).toBe(SLOWEST_PER_HOUR);
    expect(await durations('job', { processIds: [2] })).toEqual([]);
    expect(await durations('job', { labelSetIds: [2] })).toEqual([]);
  });

  it('knows what is too fast once an hour is full, and forgets it when told to', async () => {
    const may = (durationMicros: number, change: object = {}) =>
      exemplars.mayBeSlowest({ ...run(durationMicros), ...change }, 'job');
    await add(...Array.from({ length: SLOWEST_PER_HOUR - 1 }, () => run(100)));
    expect(may(0)).toBe(true);
    await add(run(200));
    expect([may(100), may(101), may(1, { windowStartMs: T + HOUR }), may(1, { revisionId: 2 })]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    exemplars.forget();
    expect(may(1)).toBe(true);
  });

  it('learns nothing of a database transaction that fails', async () => {
    const failing = inDatabaseTransaction(database, async ({ client }) => {
      await exemplars.add(client, [run(1), run(2), run(3), run(4), run(5)]);
      await client.query('SELECT 1 / 0');
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(await durations()).toEqual([]);
    expect(exemplars.mayBeSlowest(run(1), 'job')).toBe(true);
  });

  it('ends with the slowest whoever writes beside whom, and never waits in a circle', async () => {
    const random = randomNumbers(5);
    const names = ['a', 'b', 'c', 'd'];
    const all = Array.from({ length: 400 }, (_, at) => run(1 + at, { name: names[at % 4]! })).sort(() => random() - 0.5);
    const writers = Array.from({ length: 8 }, (_, writer) => all.filter((__, at) => at % 8 === writer));
    await Promise.all(
      writers.map(async (mine) => {
        for (let at = 0; at < mine.length; at += 10) await add(...mine.slice(at, at + 10));
      }),
    );
    for (const [at, name] of names.entries()) {
      const slowest = all.filter((one) => one.nameHash === nameHash(name)).map((one) => one.durationMicros);
      const wanted = slowest.sort((a, b) => b - a).slice(0, SLOWEST_PER_HOUR);
      expect((await durations(name)).slice(0, SLOWEST_PER_HOUR)).toEqual(wanted);
      // Whoever comes last sees to what writers beside each other could not see.
      await add(run(1_000 + at, { name }));
      expect(await durations(name)).toEqual([1_000 + at, ...wanted.slice(0, -1)]);
    }
  });

  it('removes what was under way within a range, and nothing that ended before it', async () => {
    await add(
      run(1, { windowStartMs: T }),
      run(2, { windowStartMs: T + MINUTE }),
      run(3, { windowStartMs: T + 5 * MINUTE, startMs: T + MINUTE }),
      run(4, { windowStartMs: T + 5 * MINUTE, startMs: T + 2 * MINUTE }),
      run(5, { windowStartMs: T + 24 * HOUR, startMs: T + MINUTE }),
    );
    const within = { fromMs: T, untilMs: T + 25 * HOUR };
    await exemplars.removeRange(SERVICE, { fromMs: T + MINUTE, untilMs: T + 2 * MINUTE }, ignore);
    expect(await durations('job', within)).toEqual([4, 1]);
  });

  it('removes what is of a label set or process, or says a label itself, up to a time', async () => {
    const label = ['user', 'ada'] as const;
    const user = labelSet({ user: 'ada' });
    await add(run(1), run(2, { labelSetId: 7 }), run(3, { processId: 7 }), run(4, { context: user }));
    const later = T + HOUR;
    await add(
      run(5, { inputs: user, windowStartMs: later }),
      run(6, { context: labelSet({ user: 'eve' }), windowStartMs: later }),
    );
    await add(run(7, { context: user, windowStartMs: later + MINUTE }), run(8, { context: [['ada', 'user']] }));
    const areSaying = async (one: readonly [string, string]) =>
      inDatabaseTransaction(database, async ({ client }) => exemplars.areSaying(client, SERVICE, one));
    expect([await areSaying(label), await areSaying(['user', 'bob'])]).toEqual([true, false]);
    const labelled = { labelSetIds: [7], processIds: [7], label, untilMs: later };
    await exemplars.removeLabelled(2, labelled, ignore);
    expect((await durations()).length).toBe(8);
    await exemplars.removeLabelled(SERVICE, labelled, ignore);
    expect(await durations()).toEqual([8, 7, 6, 1]);
  });
});
