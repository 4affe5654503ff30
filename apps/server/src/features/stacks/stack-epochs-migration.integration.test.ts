import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCover } from '../../../../../test/support/check-cover.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { undoLatestMigration } from '../../../../../test/support/undo-migration.js';
import { END, randomFlushes, randomNumbers, SERVICE, START, type RawFlush } from '../../../../../test/support/raw-flushes.js';
import { buildAll, freshRollupServer, startRollupServer, storeFlush } from '../../../../../test/support/rollup-server.js';
import { epochOf } from './epoch.js';
import { runMigrations } from '../../platform/database/run-migrations.js';
import { StackEpochs1763600000004 } from '../../migrations/1763600000004-stack-epochs.js';
import { MIGRATIONS } from '../../migrations/index.js';

/** That migration and those after it. */
const UNDONE = MIGRATIONS.slice(MIGRATIONS.indexOf(StackEpochs1763600000004));
const MONTHS = [epochOf(START), epochOf(END)];

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

async function undoToBefore(url: string): Promise<void> {
  for (let undone = 0; undone < UNDONE.length; undone += 1)
    await undoLatestMigration(url, MIGRATIONS.slice(0, MIGRATIONS.length - undone));
}

describe('StackEpochs1763600000004', () => {
  it('leaves every answer as it was, where one dictionary held the stacks of two months', async () => {
    const random = randomNumbers(5);
    const flushes = randomFlushes(random);
    const before = await freshRollupServer(postgres);
    // As before epochs: one dictionary for all months, and some windows built.
    for (const flush of flushes) await storeFlush(before, flush, MONTHS[0]);
    for (const key of await before.windows.listPending(Number.MAX_SAFE_INTEGER, 10)) await before.builder.build(key);
    await before.close();
    await undoToBefore(before.url);

    expect(await runMigrations(before.url, MIGRATIONS)).toEqual(UNDONE.map((one) => one.name));
    const after = await startRollupServer(before.url);
    try {
      for (let times = 0; times < 6; times += 1) await checkCover(after, flushes, random);
      const now = Date.now();
      const accepted = [now - 7 * 86_400_000, now].map(epochOf);
      expect((await after.dictionaries.listEpochs()).map(({ epoch }) => epoch)).toEqual([...new Set([...MONTHS, ...accepted])]);

      // Each month goes on by itself: equal ids come to mean different stacks, and there is no way back.
      const added = [START, END - 1].map((startMs, at): RawFlush => ({
        ...flushes[0]!,
        profileTypeId: 1,
        processId: 4,
        startMs,
        sequence: 5000 + at,
        samples: [{ path: `main>of month ${at}`, labelSetId: 1, value: 10_101, count: 1 }],
      }));
      for (const flush of added) await storeFlush(after, flush);
      for (let times = 0; times < 6; times += 1) await checkCover(after, [...flushes, ...added], random);
      await buildAll(after);
      for (let times = 0; times < 6; times += 1) await checkCover(after, [...flushes, ...added], random);
      await expect(undoToBefore(before.url)).rejects.toThrow('stack_page_pkey');
      await runMigrations(before.url, MIGRATIONS);
      await checkCover(after, [...flushes, ...added], random);
    } finally {
      await after.close();
    }
  });

  it('forgets the stacks of a service that has no windows, but for months that may come now', async () => {
    const { url, close, dictionaries, dataSource } = await freshRollupServer(postgres);
    try {
      const name = ['main'];
      const stacks = { length: 1, parent: Int32Array.of(-1), functionRow: Uint32Array.of(0) };
      await dictionaries.intern(
        { serviceId: SERVICE, epoch: MONTHS[0]! },
        { length: 1, name, package: [''], file: [''] },
        stacks,
      );
      await undoToBefore(url);
      expect(await dataSource.query('SELECT service_id, version FROM stack_page')).toEqual([{ service_id: SERVICE, version: 1 }]);
      await runMigrations(url, MIGRATIONS);
      const epochs = (await dictionaries.listEpochs()).map(({ epoch }) => epoch);
      expect(epochs).toContain(epochOf(Date.now()));
      expect(epochs).not.toContain(MONTHS[0]);
    } finally {
      await close();
    }
  });
});
