import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { undoLatestMigration } from '../../../../../test/support/undo-migration.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource } from './data-source.js';
import { inDatabaseTransaction } from './database-transaction.js';
import { runMigrations } from './run-migrations.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

describe('runMigrations', () => {
  it('lets twenty servers start at once and runs each migration once', async () => {
    const url = await postgres.createDatabase();
    const ran = await Promise.all(Array.from({ length: 20 }, () => runMigrations(url, MIGRATIONS)));
    expect(ran.flat().sort()).toEqual(MIGRATIONS.map((migration) => migration.name).sort());
  });

  it('finds nothing to do the second time, and can take the latest back', async () => {
    const url = await postgres.createDatabase();
    await runMigrations(url, MIGRATIONS);
    expect(await runMigrations(url, MIGRATIONS)).toEqual([]);
    await undoLatestMigration(url, MIGRATIONS);
    expect(await runMigrations(url, MIGRATIONS)).toEqual([MIGRATIONS.at(-1)!.name]);
  });
});

describe('inDatabaseTransaction', () => {
  it('keeps nothing of work that fails, and gives int8 as a number', async () => {
    const dataSource = await connectDataSource({ url: await postgres.createDatabase() });
    try {
      await dataSource.query('CREATE TABLE fact (n bigint)');
      await expect(
        inDatabaseTransaction(dataSource, async ({ client }) => {
          await client.query('INSERT INTO fact VALUES (1)');
          throw new Error('after the insert');
        }),
      ).rejects.toThrow('after the insert');
      await inDatabaseTransaction(dataSource, async ({ client }) => {
        await client.query('INSERT INTO fact VALUES (9007199254740991)');
      });
      expect(await dataSource.query('SELECT n, ARRAY[n, 2::bigint] AS list FROM fact')).toEqual([
        { n: 9007199254740991, list: [9007199254740991, 2] },
      ]);
    } finally {
      await dataSource.destroy();
    }
  });
});
