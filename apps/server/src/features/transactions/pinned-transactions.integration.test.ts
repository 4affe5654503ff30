import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DurationSketch } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, inDatabaseTransaction, ReadDatabase, runMigrations } from '../../platform/database/index.js';
import { PinnedTransactions } from './pinned-transactions.repository.js';
import { TransactionWindowRepository, type TransactionWindow } from './transaction-window.repository.js';
import { TransactionWindows, type TransactionStatistics } from './transaction-windows.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** The turn of a month is in its middle. */
const FROM = Date.UTC(2025, 10, 30);
const SPAN = { fromMs: FROM, untilMs: FROM + 2 * DAY };
const SERVICE = 1;
const PIN = { serviceId: SERVICE, revisionId: 1 };

let postgres: TestPostgres;
let database: DataSource;
let windows: TransactionWindows;
let pinned: PinnedTransactions;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  database = await connectDataSource({ url: postgres.url });
  windows = new TransactionWindows(new TransactionWindowRepository(database, new ReadDatabase(database)));
  pinned = new PinnedTransactions(database);
  await windows.partitions.ensure([FROM, FROM + DAY]);
  await pinned.partitions.ensure([FROM, FROM + DAY]);
});
afterAll(async () => {
  await database?.destroy();
  await postgres?.stop();
});

/** Some minutes of two revisions, each with some durations. */
function madeWindows(random: () => number, count: number): TransactionWindow[] {
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: count }, () => {
    const sketch = new DurationSketch();
    const durations = Array.from({ length: below(4) }, () => 1 + below(1e6));
    for (const micros of durations) sketch.add(micros);
    const { bucket, count: sketchCount } = sketch.toBuckets();
    return {
      serviceId: SERVICE,
      windowStartMs: FROM + below((2 * DAY) / MINUTE) * MINUTE,
      processId: 1 + below(2),
      revisionId: 1 + below(2),
      environmentId: 1,
      labelSetId: 1 + below(2),
      kind: 'http',
      outcome: below(3) === 0 ? 'error' : 'ok',
      count: durations.length,
      durationSumMicros: durations.reduce((sum, micros) => sum + micros, 0),
      sketchBucket: bucket,
      sketchCount,
    };
  });
}
const add = async (added: readonly TransactionWindow[]) =>
  inDatabaseTransaction(database, async ({ client }) => windows.add(client, added));

/** By day and everything else that identifies a row. */
function sums(rows: readonly TransactionStatistics[]): Record<string, unknown> {
  const byKey = new Map<string, { count: number; duration: number; sketch: DurationSketch }>();
  for (const { windowStartMs, processId, revisionId, labelSetId, kind, outcome, count, durationSumMicros, sketch } of rows) {
    const key = [Math.floor(windowStartMs / DAY), processId, revisionId, labelSetId, kind, outcome].join(' ');
    const sum = byKey.get(key) ?? { count: 0, duration: 0, sketch: new DurationSketch() };
    sum.sketch.merge(sketch);
    byKey.set(key, { ...sum, count: sum.count + count, duration: sum.duration + durationSumMicros });
  }
  const plain = [...byKey].map(([key, { sketch, ...sum }]) => {
    const { bucket, count } = sketch.toBuckets();
    return [key, { ...sum, sketch: Array.from(bucket, (one, at) => [one, count[at]]) }] as const;
  });
  return Object.fromEntries(plain.sort((a, b) => (a[0] < b[0] ? -1 : 1)));
}

describe('PinnedTransactions', () => {
  it('keeps by day what was known by minute, late minutes too, whoever else does the same', async () => {
    const random = randomNumbers(3);
    await add(madeWindows(random, 600));
    for (const late of [0, 100, 100]) {
      await add(madeWindows(random, late));
      const before = sums(await windows.read({ serviceId: SERVICE, ...SPAN }));
      const keepAll = async () => {
        for (const hour of (await pinned.listHours(PIN, SPAN.untilMs, [])).sort(() => random() - 0.5))
          await inDatabaseTransaction(database, async ({ client }) => pinned.keep(client, PIN, hour));
      };
      await Promise.all([keepAll(), keepAll(), keepAll()]);
      expect(sums(await windows.read({ serviceId: SERVICE, ...SPAN }))).toEqual(before);
      const left = (await database.query('SELECT DISTINCT revision_id FROM transaction_window')) as unknown[];
      expect(left).toEqual([{ revision_id: 2 }]);
      const starts = await database.query('SELECT DISTINCT window_start_ms AS at FROM pinned_transaction ORDER BY 1');
      expect(starts).toEqual([{ at: FROM }, { at: FROM + DAY }]);
    }
  });

  it('answers for whole days only, and filters as minutes do', async () => {
    const ofPin = { serviceId: SERVICE, revisionIds: [1] };
    const days = async (fromMs: number, untilMs: number) => [
      ...new Set((await windows.read({ ...ofPin, fromMs, untilMs })).map(({ windowStartMs }) => windowStartMs)),
    ];
    expect(await days(FROM, FROM + DAY)).toEqual([FROM]);
    expect(await days(FROM, FROM + DAY - 1)).toEqual([]);
    expect(await days(FROM + 1, FROM + 2 * DAY)).toEqual([FROM + DAY]);
    const errors = await windows.read({ ...ofPin, ...SPAN, processIds: [2], labelSetIds: [1] });
    expect(new Set(errors.map(({ processId, labelSetId }) => `${processId} ${labelSetId}`))).toEqual(new Set(['2 1']));
  });

  it('removes the days that lie within a range, and says so', async () => {
    const countIn = async () => ((await database.query('SELECT count(*) AS n FROM pinned_transaction')) as [{ n: number }])[0].n;
    const before = await countIn();
    let removed = 0;
    const note = async (_: unknown, { rows }: { readonly rows: number }) => {
      removed += rows;
    };
    await pinned.removeRange(SERVICE, { fromMs: FROM + 1, untilMs: FROM + 2 * DAY - 1 }, note);
    expect([removed, await countIn()]).toEqual([0, before]);
    await pinned.removeRange(SERVICE, { fromMs: FROM + 1, untilMs: FROM + 2 * DAY }, note);
    expect(removed).toBeGreaterThan(0);
    expect(await countIn()).toBe(before - removed);
    expect(await database.query('SELECT DISTINCT window_start_ms AS at FROM pinned_transaction')).toEqual([{ at: FROM }]);
  });

  it('removes what was counted for label sets and for processes', async () => {
    await pinned.removeLabelled(SERVICE, { labelSetIds: [2], processIds: [2] }, async () => undefined);
    const left = await database.query('SELECT DISTINCT label_set_id, process_id FROM pinned_transaction');
    expect(left).toEqual([{ label_set_id: 1, process_id: 1 }]);
  });

  it('says since when a pinned revision is counted, and a service without it', async () => {
    await database.query('DELETE FROM transaction_window WHERE window_start_ms < $1', [FROM + DAY]);
    const since = async (revisionIds?: readonly number[]) => windows.countedSince({ serviceId: SERVICE, revisionIds }, 'latest');
    expect([await since([1]), await since([2]), await since([1, 2]), await since()]).toEqual([
      FROM,
      FROM + DAY,
      FROM + DAY,
      FROM + DAY,
    ]);
    expect(await windows.countedSince({ serviceId: 99 }, 'latest')).toBeUndefined();
  });

  it('looks at whole days before a time, and says whether minutes are left', async () => {
    await add([{ ...madeWindows(randomNumbers(1), 1)[0]!, revisionId: 1, windowStartMs: FROM + 5 * HOUR }]);
    expect(await pinned.listHours(PIN, FROM + DAY - 1, [])).toEqual([]);
    expect(await pinned.listHours(PIN, FROM + DAY, [])).toEqual([FROM + 5 * HOUR]);
    const has = async (fromMs: number, untilMs: number) =>
      inDatabaseTransaction(database, async ({ client }) => pinned.hasMinutes(client, [PIN], { fromMs, untilMs }));
    expect([await has(FROM, FROM + 5 * HOUR), await has(FROM, FROM + 5 * HOUR + 1)]).toEqual([false, true]);
    await inDatabaseTransaction(database, async ({ client }) => {
      await pinned.keep(client, PIN, FROM + 5 * HOUR);
      await pinned.remove(client, PIN);
    });
    expect(await windows.read({ serviceId: SERVICE, revisionIds: [1], ...SPAN })).toEqual([]);
    expect((await windows.read({ serviceId: SERVICE, ...SPAN })).length).toBeGreaterThan(50);
  });
});
