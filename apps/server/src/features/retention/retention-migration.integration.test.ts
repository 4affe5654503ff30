import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { undoLatestMigration } from '../../../../../test/support/undo-migration.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { Retention1763600000005 } from '../../migrations/1763600000005-retention.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

const DAY_MS = 86_400_000;

describe('Retention1763600000005', () => {
  it('carries every row over and back', async () => {
    const url = await postgres.createDatabase();
    const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(Retention1763600000005));
    await runMigrations(url, before);
    const database = await connectDataSource({ url });
    const rows = async (table: string) => database.query(`SELECT * FROM ${table} ORDER BY 1, 2, 3, 4, 5`) as Promise<unknown[]>;
    try {
      await database.query(`
        INSERT INTO batch_receipt SELECT service, process, sequence, 100 * process FROM generate_series(1, 2) AS service, generate_series(1, 3) AS process,
          generate_series(1, 50) AS sequence WHERE sequence % 10 <> process;
        INSERT INTO transaction_window SELECT 1, n * ${DAY_MS / 2}, 1, 1, 1, 1, 0, 0, n, n * 10, ARRAY[n], ARRAY[n] FROM generate_series(0, 20) AS n;
        INSERT INTO process_series SELECT 1, n * ${DAY_MS / 2} - 1, 1, 1, 1, 10, ARRAY[1, 2], ARRAY[n, n / 2.0] FROM generate_series(1, 20) AS n;
      `);
      const [transactions, series, receipts] = await Promise.all([
        rows('transaction_window'),
        rows('process_series'),
        database.query('SELECT service_id, process_id, sequence FROM batch_receipt ORDER BY 1, 2, 3') as Promise<unknown[]>,
      ]);
      expect([transactions.length, series.length, receipts.length]).toEqual([21, 20, 270]);

      await runMigrations(url, [...before, Retention1763600000005]);
      expect(await rows('transaction_window')).toEqual(transactions);
      expect(await rows('process_series')).toEqual(series);
      expect(
        await database.query(
          `SELECT sequences::text, received_ms FROM batch_receipt WHERE service_id = 2 ORDER BY process_id LIMIT 1`,
        ),
      ).toEqual([{ sequences: '{[2,11),[12,21),[22,31),[32,41),[42,51)}', received_ms: 100 }]);
      expect(
        await database.query(
          `SELECT min(relname) AS first, count(*) AS n FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = 'process_series'::regclass`,
        ),
      ).toEqual([{ first: 'process_series_h0', n: 10 }]);

      await undoLatestMigration(url, [...before, Retention1763600000005]);
      expect(await rows('transaction_window')).toEqual(transactions);
      expect(await rows('process_series')).toEqual(series);
      expect(await database.query('SELECT service_id, process_id, sequence FROM batch_receipt ORDER BY 1, 2, 3')).toEqual(
        receipts,
      );
    } finally {
      await database.destroy();
    }
  });
});
