import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { schemaText } from '../../../../../test/support/schema-text.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, runMigrations } from './index.js';

/** Tables that are no data tables, and why not: small, and the same on every machine that Citus would use. Every other table is one. */
const GLOBAL_TABLES: Readonly<Record<string, string>> = {
  project: 'a tenant, above its services',
  service: 'what services are: its id is what all others are led by',
  profile_type: 'one number for a kind of profile in every service: at most 2,000 rows',
  api_key: 'of a project; found by its hash before any service is known',
  app_user: 'a person, of all projects',
  user_session: 'of a person; found by its hash',
  retention_policy: 'of a project: how long it keeps things',
  migration: 'of the schema',
  project_quota: 'of a project',
  limit_hit: 'of a project: also of services that it may not have',
};

let postgres: TestPostgres;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await postgres?.stop();
});

/** Primary keys, unique constraints, unique indexes and exclusions, with their first column; `null`: an expression. */
async function uniqueKeys(): Promise<{ table: string; key: string; first: string | null }[]> {
  return (await database.query(`
    SELECT class.relname AS "table", index.relname AS key, attname AS first FROM pg_index
    JOIN pg_class AS class ON class.oid = indrelid JOIN pg_class AS index ON index.oid = indexrelid
    LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] AND attnum > 0
    WHERE class.relnamespace = 'public'::regnamespace AND (indisunique OR indisexclusion) AND NOT class.relispartition`)) as {
    table: string;
    key: string;
    first: string | null;
  }[];
}

describe('the schema', () => {
  it('is the one in schema.sql, which is written anew by: npx vitest run --project integration platform/database/schema -u', async () => {
    const header =
      '-- What all migrations make together, for reading. Written by schema.integration.test.ts; not run by anything.\n\n';
    await expect(header + (await schemaText(database))).toMatchFileSnapshot('../../../schema.sql');
  });

  it('leads every key of service data with service_id, so that Citus can distribute it', async () => {
    const keys = await uniqueKeys();
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter(({ table, first }) => first !== 'service_id' && !(table in GLOBAL_TABLES))).toEqual([]);
  });

  it('has a primary key for every table of service data, and in each of its rows a service', async () => {
    const tables = (await database.query(`
      SELECT relname AS "table", coalesce(attnotnull AND atttypid = 'bigint'::regtype, false) AS "isLed",
        EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary) AS "hasKey"
      FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'service_id'
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`)) as {
      table: string;
      isLed: boolean;
      hasKey: boolean;
    }[];
    expect(tables.filter(({ table, isLed, hasKey }) => !(isLed && hasKey) && !(table in GLOBAL_TABLES))).toEqual([]);
    const names = tables.map(({ table }) => table);
    expect(
      Object.keys(GLOBAL_TABLES).filter((table) => !names.includes(table)),
      'tables that are no more',
    ).toEqual([]);
  });

  it('would be found with a key that another column leads, or none does: as a constraint, an index, an expression', async () => {
    await database.query('CREATE TABLE planted (service_id bigint NOT NULL, name text NOT NULL UNIQUE)');
    try {
      await database.query('CREATE UNIQUE INDEX planted_expression ON planted (lower(name), service_id)');
      const planted = (await uniqueKeys()).filter(({ table, first }) => table === 'planted' && first !== 'service_id');
      expect(planted.map(({ key }) => key).sort()).toEqual(['planted_expression', 'planted_name_key']);
    } finally {
      await database.query('DROP TABLE planted');
    }
  });

  it('refers from service data to nothing, because nothing is joined or checked across services', async () => {
    const references = (await database.query(`
      SELECT conrelid::regclass::text AS "table" FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`)) as {
      table: string;
    }[];
    expect(references.filter(({ table }) => !(table in GLOBAL_TABLES))).toEqual([]);
  });
});
