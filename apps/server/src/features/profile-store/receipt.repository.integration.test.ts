import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, inDatabaseTransaction, runMigrations } from '../../platform/database/index.js';
import { ReceiptRepository, type BatchIdentity } from './receipt.repository.js';

let postgres: TestPostgres;
let dataSource: DataSource;
let receipts: ReceiptRepository;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  dataSource = await connectDataSource({ url: postgres.url, poolSize: 12 });
  receipts = new ReceiptRepository(dataSource);
});
afterAll(async () => {
  await dataSource?.destroy();
  await postgres?.stop();
});

const add = (batches: readonly BatchIdentity[], nowMs = 1) =>
  inDatabaseTransaction(dataSource, ({ client }) => receipts.addBatches(client, batches, nowMs));
const sequencesOf = async (serviceId: number) =>
  (
    (await dataSource.query(
      'SELECT sequences::text, pg_column_size(sequences) AS bytes FROM batch_receipt WHERE service_id = $1',
      [serviceId],
    )) as { sequences: string; bytes: number }[]
  )[0]!;

describe('ReceiptRepository.addBatches', () => {
  it.each([1, 2, 3])('takes each batch once, in any order, from many callers, some of whom fail (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const stored: string[] = [];
    const caller = async () => {
      for (let call = 0; call < 40; call += 1) {
        const wanted = new Map<string, BatchIdentity>();
        for (let n = below(12); n >= 0; n -= 1) {
          const one = { serviceId: 10 * seed + below(2), processId: below(3), sequence: below(150) };
          wanted.set(JSON.stringify(one), one);
        }
        const fails = random() < 0.3;
        const added = inDatabaseTransaction(dataSource, async ({ client }) => {
          const fresh = await receipts.addBatches(client, [...wanted.values()], 1);
          if (fails) throw new Error('after the receipts');
          return fresh;
        });
        if (fails) await expect(added).rejects.toThrow('after the receipts');
        else stored.push(...(await added).map((one) => `${one.serviceId} ${one.processId} ${one.sequence}`));
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    expect(new Set(stored).size).toBe(stored.length);
    // And whatever was stored is known: all of it, and nothing else.
    const all = [10 * seed, 10 * seed + 1].flatMap((serviceId) =>
      [0, 1, 2].flatMap((processId) => Array.from({ length: 150 }, (_, sequence) => ({ serviceId, processId, sequence }))),
    );
    const missing = await add(all);
    expect(missing.length + stored.length).toBe(all.length);
    expect(await add(all)).toEqual([]);
  });

  it('keeps one row of a process, however many its batches', async () => {
    for (let first = 1; first < 5_000; first += 100)
      await add(Array.from({ length: 100 }, (_, n) => ({ serviceId: 40, processId: 1, sequence: first + n })));
    expect((await sequencesOf(40)).sequences).toBe('{[1,5001)}');
  });

  it('forgets the gaps of a process that has very many, and never takes a batch twice', async () => {
    const one = (sequence: number) => add([{ serviceId: 41, processId: 1, sequence }]);
    const everySecond = (from: number, count: number) =>
      add(Array.from({ length: count }, (_, n) => ({ serviceId: 41, processId: 1, sequence: from + 2 * n })));
    await everySecond(0, 600);
    expect((await sequencesOf(41)).bytes).toBeLessThan(16_384);
    expect(await one(1)).toHaveLength(1);
    expect(await one(3)).toHaveLength(1);
    await everySecond(1_200, 400);
    expect((await sequencesOf(41)).bytes).toBeGreaterThan(16_384);
    expect(await one(5)).toHaveLength(1); // not known yet to be taken; from now on all before are
    expect((await sequencesOf(41)).sequences).toBe('{[0,1999)}');
    expect(await one(5)).toEqual([]);
    expect(await one(7)).toEqual([]);
    expect(await one(1_999)).toHaveLength(1);
  });

  it('forgets a process and an upload of which nothing came for long enough, and no other', async () => {
    const upload = (key: string, nowMs: number) =>
      inDatabaseTransaction(dataSource, ({ client }) => receipts.addUploads(client, [{ serviceId: 42, key }], nowMs));
    await add([{ serviceId: 42, processId: 1, sequence: 1 }], 999);
    await add([{ serviceId: 42, processId: 2, sequence: 1 }], 1_000);
    await add([{ serviceId: 42, processId: 3, sequence: 1 }], 999);
    await add([{ serviceId: 42, processId: 3, sequence: 2 }], 1_000);
    await upload('old', 4_999);
    await upload('new', 5_000);
    await receipts.forget({ batchesBeforeMs: 1_000, uploadsBeforeMs: 5_000 });
    const again = [1, 2, 3].map((processId) => ({ serviceId: 42, processId, sequence: 1 }));
    expect(await add(again, 1_001)).toEqual([again[0]]);
    expect(await upload('old', 5_001)).toHaveLength(1);
    expect(await upload('new', 5_001)).toHaveLength(0);
  });
});
