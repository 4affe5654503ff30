import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../apps/server/src/migrations/index.js';
import {
  appliedMigrations,
  connectDataSource,
  runMigrations,
  type MigrationClass,
} from '../apps/server/src/platform/database/index.js';
import { loadSchemaVersion, readSchemaVersion } from './schema-versions/schema-version.js';
import { askJson } from './support/ask.js';
import { madeBatch } from './support/made-batch.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { sendBatch } from './support/send-batch.js';
import { freePort, startTestServer, type TestServer } from './support/server.js';

const run = promisify(execFile);
const PROCESSES = 20;
const built = path.resolve(import.meta.dirname, '../apps/server/dist');

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

type MigrationInterface = InstanceType<MigrationClass>;
type QueryRunner = Parameters<MigrationInterface['up']>[0];

/** Needs every table to itself for a moment, as adding a column does. */
class AddNote1999999999001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("ALTER TABLE label_set ADD COLUMN note text NOT NULL DEFAULT ''");
  }
  async down(): Promise<void> {}
}
/** Takes long on a large table, and locks nobody out meanwhile. */
class IndexNote1999999999002 implements MigrationInterface {
  readonly transaction = false;
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX CONCURRENTLY IF EXISTS label_set_note');
    await queryRunner.query('CREATE INDEX CONCURRENTLY label_set_note ON label_set (service_id, note)');
  }
  async down(): Promise<void> {}
}
/** Moves rows in batches, each in a database transaction of its own; begun again, it goes on where it was. */
class FillNote1999999999003 implements MigrationInterface {
  readonly transaction = false;
  async up(queryRunner: QueryRunner): Promise<void> {
    for (let moved = 1; moved > 0;) {
      const [rows] = (await queryRunner.query(`
        WITH piece AS (SELECT service_id, id FROM label_set WHERE note = '' AND id <= 20 LIMIT 3 FOR UPDATE SKIP LOCKED)
        UPDATE label_set SET note = 'moved' FROM piece WHERE (label_set.service_id, label_set.id) = (piece.service_id, piece.id)
        RETURNING 1`)) as [unknown[], number];
      moved = rows.length;
    }
  }
  async down(): Promise<void> {}
}
const LATER = [AddNote1999999999001, IndexNote1999999999002, FillNote1999999999003];

/** Sends batch after batch, each until it is stored, and keeps what was answered besides. */
class Sender {
  readonly refusals: unknown[] = [];
  readonly startMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  stored = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(server: TestServer) {
    this.#running = this.#run(server);
  }
  async untilStored(count: number): Promise<void> {
    while (this.stored < count) await sleep(20);
  }
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
  async #run(server: TestServer): Promise<void> {
    while (!this.#stopped) {
      const batch = madeBatch({ processId: 'a'.repeat(32), sequence: this.stored + 1, startMs: this.startMs });
      // No answer on a busy machine: nobody knows whether it was stored, so it is sent again.
      const answer = await sendBatch(server, batch).catch(() => undefined);
      if (answer?.status === 202) this.stored += 1;
      else if (answer !== undefined) this.refusals.push(answer);
      await sleep(10);
    }
  }
}

async function expectAllStored(server: TestServer, { startMs, stored }: Sender): Promise<void> {
  expect(await askJson(server, `/api/v1/flame-graph?service=made&from=${startMs}&until=${startMs + 60_000}`)).toMatchObject({
    samples: stored,
    sum: stored * 1_000 + (stored * (stored + 1)) / 2,
  });
}

/** What every server does first, in a process of its own that does nothing else. @returns The migrations it ran. */
async function migrateAsServersDo(databaseUrl: string): Promise<string[]> {
  const script = `const { runMigrations } = await import(${JSON.stringify(path.join(built, 'platform/database/index.js'))});
    const { MIGRATIONS } = await import(${JSON.stringify(path.join(built, 'migrations/index.js'))});
    console.log(JSON.stringify(await runMigrations(process.argv[1], MIGRATIONS)));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, databaseUrl]);
  return JSON.parse(stdout) as string[];
}

describe('twenty processes', () => {
  it('that start at once bring the oldest schema up to date, once', async () => {
    const databaseUrl = await postgres.createDatabase();
    await loadSchemaVersion(databaseUrl, readSchemaVersion(MIGRATIONS[0]!.name)!);
    const ran = await Promise.all(Array.from({ length: PROCESSES }, () => migrateAsServersDo(databaseUrl)));
    const names = MIGRATIONS.map(({ name }) => name);
    expect(ran.filter((migrations) => migrations.length > 0)).toEqual([names.slice(1)]);
    const database = await connectDataSource({ url: databaseUrl });
    expect(await appliedMigrations(database)).toEqual(names);
    await database.destroy();
  }, 300_000);
});

describe('a migration beside servers of the version before', () => {
  let databaseUrl: string;
  let server: TestServer;
  let other: pg.Client;
  beforeAll(async () => {
    databaseUrl = await postgres.createDatabase();
    server = await startTestServer({ databaseUrl });
    other = new pg.Client({ connectionString: databaseUrl, application_name: 'a report' });
    await other.connect();
  });
  afterAll(async () => {
    await other?.end();
    await server?.stop();
  });

  it('waits for a table without stopping who writes to it, and loses and refuses nothing', async () => {
    const sender = new Sender(server);
    await sender.untilStored(20);
    await other.query('BEGIN');
    await other.query('SELECT count(*) FROM label_set'); // whoever wants the table to itself waits for this reader
    const waits: string[] = [];
    const migrating = runMigrations(databaseUrl, [...MIGRATIONS, ...LATER], { onWait: (message) => waits.push(message) });
    while (waits.length === 0) await sleep(20);
    const storedBefore = sender.stored;
    await sender.untilStored(storedBefore + 20); // while the reader still reads and the migration still wants
    await other.query('COMMIT');
    expect(await migrating).toEqual(LATER.map(({ name }) => name));
    await sender.untilStored(sender.stored + 20);
    await sender.stop();
    expect(waits[0]).toMatch(/^AddNote1999999999001 waits for a table: .* \(a report\), since \d+ s$/);
    expect(sender.refusals).toEqual([]);
    await expectAllStored(server, sender);
    const { rows } = await other.query(
      "SELECT count(*)::int AS n, bool_and(note = 'moved') AS moved FROM label_set WHERE id <= 20",
    );
    expect(rows).toEqual([{ n: 20, moved: true }]);
    const index = await other.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'label_set_note'::regclass");
    expect(index.rows).toEqual([{ indisvalid: true }]);
  });

  it('that takes away what they use is answered with 503 until they are replaced, and nothing is lost', async () => {
    const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 240_000;
    const batch = madeBatch({ processId: 'b'.repeat(32), sequence: 1, startMs });
    await other.query('ALTER TABLE batch_receipt RENAME received_ms TO arrived_ms');
    expect(await sendBatch(server, batch)).toMatchObject({ status: 503, retryAfter: '30', body: { code: 'SCHEMA_CHANGED' } });
    await other.query('ALTER TABLE batch_receipt RENAME arrived_ms TO received_ms');
    expect(await sendBatch(server, batch)).toMatchObject({ status: 202, body: { accepted: 1 } });
  });

  it('keeps a server of the version before from starting, which says so in one line', async () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(built, 'main.js')], {
      env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, PORT: String(await freePort()), LOG_LEVEL: 'silent' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^hearth: SCHEMA_NEWER: a newer Hearth has migrated this database \(AddNote1999999999001, [^\n]*\n$/,
      ),
    });
  });
});
