import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../apps/server/src/migrations/index.js';
import { appliedMigrations, connectDataSource, runMigrations } from '../../apps/server/src/platform/database/index.js';
import { askJson } from '../support/ask.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { schemaText } from '../support/schema-text.js';
import { sendBatch } from '../support/send-batch.js';
import { startTestServer } from '../support/server.js';
import { askStore, storeBatch } from './made-store.js';
import { HOW_TO_WRITE, loadSchemaVersion, readSchemaVersion } from './schema-version.js';

const NAMES = MIGRATIONS.map(({ name }) => name);

let postgres: TestPostgres;
/** Migrated from version to version, as far as the tests have come. */
let made: string;
let newestSchema: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  made = await postgres.createDatabase();
  const newest = await postgres.createDatabase();
  await runMigrations(newest, MIGRATIONS);
  newestSchema = await schemaOf(newest);
});
afterAll(async () => {
  await postgres?.stop();
});

async function schemaOf(databaseUrl: string): Promise<string> {
  const database = await connectDataSource({ url: databaseUrl });
  try {
    return await schemaText(database);
  } finally {
    await database.destroy();
  }
}

describe.each(NAMES)('the schema version %s', (name) => {
  const version = readSchemaVersion(name);

  it(`was kept with rows in it, by: ${HOW_TO_WRITE}`, () => {
    expect(version?.sql.length).toBeGreaterThan(1_000);
  });

  it.runIf(version !== undefined)('is what the migrations up to it still make', async () => {
    const kept = await postgres.createDatabase();
    await loadSchemaVersion(kept, version!);
    const database = await connectDataSource({ url: kept });
    const upToIt = NAMES.slice(0, NAMES.indexOf(name) + 1);
    // Another order means that a migration came in before this one: write this version again.
    expect(await appliedMigrations(database)).toEqual(upToIt);
    await database.destroy();
    await runMigrations(made, MIGRATIONS.slice(0, upToIt.length));
    expect(await schemaOf(kept)).toBe(await schemaOf(made));
  });

  it.runIf(version !== undefined)('becomes the newest, answers as it did, and goes on', async () => {
    const { startMs, answers, sql } = version!;
    const databaseUrl = await postgres.createDatabase();
    await loadSchemaVersion(databaseUrl, { sql });
    const server = await startTestServer({ databaseUrl, role: 'api' });
    try {
      expect(await askStore(server, startMs)).toEqual(answers);
      expect(await schemaOf(databaseUrl)).toBe(newestSchema);
      // The process of the last batch sends its next one, now.
      const nowMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
      expect(await sendBatch(server, storeBatch(31, nowMs - 27 * 10_000))).toMatchObject({ status: 202, body: { accepted: 1 } });
      expect(await askJson(server, `/api/v1/flame-graph?service=made&from=${nowMs}&until=${nowMs + 60_000}`)).toMatchObject({
        sum: 1_031,
        samples: 1,
      });
      expect(await askStore(server, startMs)).toMatchObject({ cpu: answers.cpu, transactions: answers.transactions });
    } finally {
      await server.stop();
    }
  });
});
