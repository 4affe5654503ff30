import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, runMigrations } from './index.js';
import { listServiceTables } from './service-rows.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

async function tablesIn(url: string): Promise<string[]> {
  const database = await connectDataSource({ url });
  try {
    return (await listServiceTables(database)).map(({ table }) => table);
  } finally {
    await database.destroy();
  }
}

describe('listServiceTables', () => {
  it('finds them in the schema that Hearth lives in, whatever its name', async () => {
    const [usual, named] = [await postgres.createDatabase(), await postgres.createDatabase()];
    const database = await connectDataSource({ url: named });
    await database.query(`CREATE SCHEMA hearth; ALTER DATABASE ${new URL(named).pathname.slice(1)} SET search_path = hearth`);
    await database.destroy();
    for (const url of [usual, named]) await runMigrations(url, MIGRATIONS);
    const tables = await tablesIn(named);
    expect(tables).toContain('upload_receipt');
    expect(tables.length).toBeGreaterThan(8);
    expect(tables).toEqual(await tablesIn(usual));
  });
});
