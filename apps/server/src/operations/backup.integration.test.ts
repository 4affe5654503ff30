import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpDatabase } from '../../../../test/schema-versions/dump-database.js';
import { loadSchemaVersion, readSchemaVersion } from '../../../../test/schema-versions/schema-version.js';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.js';
import { until } from '../../../../test/support/until.js';
import { MIGRATIONS } from '../migrations/index.js';
import { connectDataSource, runMigrations } from '../platform/database/index.js';
import { backUp, type BackupSummary } from './backup.js';
import { openSource, openTarget } from './backup-place.js';
import { restore, type RestoreOptions } from './restore.js';

const NEWEST = MIGRATIONS.at(-1)!.name;

let postgres: TestPostgres;
let folder: string;
/** A database of the newest schema with rows in it, and its backup. */
let filled: string;
let file: string;
let summary: BackupSummary;
beforeAll(async () => {
  postgres = await startTestPostgres();
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-test-backup-'));
  filled = await postgres.createDatabase();
  await loadSchemaVersion(filled, readSchemaVersion(NEWEST)!);
  file = path.join(folder, 'newest.backup');
  summary = await backUpTo(filled, file);
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function backUpTo(url: string, place: string, signal = new AbortController().signal): Promise<BackupSummary> {
  const target = await openTarget(place);
  try {
    const done = await backUp(url, target, { signal, onProgress: () => undefined });
    await target.keep();
    return done;
  } catch (error) {
    await target.discard();
    throw error;
  }
}

async function restoreFrom(url: string, place: string, options: Partial<RestoreOptions> = {}) {
  return restore(url, await openSource(place), {
    replace: false,
    migrations: MIGRATIONS,
    signal: new AbortController().signal,
    onStep: () => undefined,
    onProgress: () => undefined,
    ...options,
  });
}

async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const database = await connectDataSource({ url, applicationName: 'test' });
  try {
    return (await database.query(sql)) as Row[];
  } finally {
    await database.destroy();
  }
}

async function dump(url: string): Promise<string> {
  const database = await connectDataSource({ url, applicationName: 'test' });
  try {
    return await dumpDatabase(database);
  } finally {
    await database.destroy();
  }
}

const tablesOf = (url: string) =>
  query<{ name: string }>(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");

describe('a restored backup', () => {
  it('is the database that was backed up, to the last row, partition and sequence', async () => {
    const url = await postgres.createDatabase();
    const restored = await restoreFrom(url, file);
    expect(restored).toMatchObject({ rows: summary.rows, migrated: [], leftOut: [] });
    expect(summary.rows).toBeGreaterThan(100);
    expect(await dump(url)).toBe(await dump(filled));
    const storage = `SELECT DISTINCT attstorage FROM pg_inherits JOIN pg_attribute ON attrelid = inhrelid WHERE inhparent = 'block'::regclass AND attname = 'data'`;
    expect(await query(url, storage)).toEqual([{ attstorage: 'e' }]);
  });

  it('keeps room in the partitions that are updated often', async () => {
    const [source, url] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await loadSchemaVersion(source, readSchemaVersion(NEWEST)!);
    const [partition] = await query<{ name: string }>(
      source,
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'transaction_window'::regclass",
    );
    await query(source, `ALTER TABLE ${partition!.name} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`);
    const place = path.join(folder, 'storage.backup');
    await backUpTo(source, place);
    await restoreFrom(url, place);
    const storage = `SELECT reloptions FROM pg_class WHERE oid = '${partition!.name}'::regclass`;
    expect(await query(url, storage)).toEqual([{ reloptions: ['fillfactor=70', 'autovacuum_vacuum_scale_factor=0.05'] }]);
  });

  it('gives no id twice: what was given to rows that are gone stays given', async () => {
    const source = await postgres.createDatabase();
    await loadSchemaVersion(source, readSchemaVersion(NEWEST)!);
    await query(source, "INSERT INTO project (name, created_ms) VALUES ('gone', 1)");
    const [gone] = await query<{ id: number }>(source, "SELECT id FROM project WHERE name = 'gone'");
    await query(source, "DELETE FROM project WHERE name = 'gone'");
    const place = path.join(folder, 'sequence.backup');
    await backUpTo(source, place);
    const url = await postgres.createDatabase();
    await restoreFrom(url, place);
    await query(url, "INSERT INTO project (name, created_ms) VALUES ('next', 1)");
    expect(await query(url, "SELECT id FROM project WHERE name = 'next'")).toEqual([{ id: gone!.id + 1 }]);
  });

  it.each(MIGRATIONS.map(({ name }) => name))('of %s is brought up to date', async (name) => {
    const [source, url] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await loadSchemaVersion(source, readSchemaVersion(name)!);
    const place = path.join(folder, `${name}.backup`);
    await backUpTo(source, place);
    const { migrated } = await restoreFrom(url, place);
    const names = MIGRATIONS.map((migration) => migration.name);
    expect(migrated).toEqual(names.slice(names.indexOf(name) + 1));
    await runMigrations(source, MIGRATIONS);
    expect(await dump(url)).toBe(await dump(source));
  });

  it('leaves out tables that are not Hearth’s, and says which', async () => {
    const [source, url] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await runMigrations(source, MIGRATIONS);
    await query(source, 'CREATE TABLE somebodys (one int GENERATED ALWAYS AS IDENTITY)');
    await query(source, 'INSERT INTO somebodys DEFAULT VALUES');
    const place = path.join(folder, 'somebodys.backup');
    await backUpTo(source, place);
    expect((await restoreFrom(url, place)).leftOut).toEqual(['somebodys']);
    await runMigrations(url, MIGRATIONS);
  });
});

describe('backUp', () => {
  it('refuses to write what could not be read again', async () => {
    const source = await postgres.createDatabase();
    await runMigrations(source, MIGRATIONS);
    await query(source, 'CREATE TABLE somebodys ("createdAt" int)');
    await expect(backUpTo(source, path.join(folder, 'unreadable.backup'))).rejects.toMatchObject({
      code: 'BACKUP_FOREIGN_TABLE',
      message: expect.stringContaining('somebodys'),
    });
    await query(source, 'DROP TABLE somebodys');
    await backUpTo(source, path.join(folder, 'unreadable.backup'));
  });

  it('leaves a whole backup when two write to one file', async () => {
    const place = path.join(folder, 'twice.backup');
    const [first, second] = [await openTarget(place), await openTarget(place)];
    await backUp(filled, first, { signal: new AbortController().signal, onProgress: () => undefined });
    await second.write(Buffer.alloc(1_000));
    await first.keep();
    await second.write(Buffer.alloc(1_000));
    await second.discard();
    expect(await restoreFrom(await postgres.createDatabase(), place)).toMatchObject({ rows: summary.rows });
  });

  it('leaves a file that only its owner reads, and nothing half-written', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('refuses a database without a Hearth, and leaves the backup of before alone', async () => {
    const place = path.join(folder, 'before.backup');
    writeFileSync(place, 'the one of before');
    await expect(backUpTo(await postgres.createDatabase(), place)).rejects.toMatchObject({ code: 'BACKUP_NOTHING' });
    expect(readFileSync(place, 'utf8')).toBe('the one of before');
    expect(readdirSync(folder).filter((name) => name.startsWith('before.'))).toEqual(['before.backup']);
  });

  it('says when it cannot write', async () => {
    await expect(openTarget(path.join(folder, 'no-such-folder/x.backup'))).rejects.toMatchObject({ code: 'BACKUP_FILE' });
    await expect(openSource(path.join(folder, 'no-such-file'))).rejects.toMatchObject({ code: 'BACKUP_FILE' });
  });

  it('ends when it is told to or its target fails, without a connection left behind', async () => {
    const stopping = new AbortController();
    const stopped = backUp(
      filled,
      { write: async () => stopping.abort(new Error('enough')) },
      { signal: stopping.signal, onProgress: () => undefined },
    );
    await expect(stopped).rejects.toThrow('enough');
    const failed = backUp(
      filled,
      { write: async () => Promise.reject(new Error('disk full')) },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
    await expect(failed).rejects.toThrow('disk full');
    // A connection that was ended is listed until its process is gone.
    await until(async () => {
      const left = await query(filled, "SELECT pid FROM pg_stat_activity WHERE application_name = 'hearth-backup'");
      return left.length === 0 || undefined;
    });
  });
});

describe('restore', () => {
  it('refuses a damaged, cut off or foreign file before it touches anything', async () => {
    const url = await postgres.createDatabase();
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 1;
    for (const [code, bytes] of [
      ['BACKUP_DAMAGED', damaged],
      ['BACKUP_TRUNCATED', whole.subarray(0, -1)],
      ['BACKUP_FOREIGN', Buffer.from('-- PostgreSQL database dump')],
    ] as const) {
      const place = path.join(folder, 'bad.backup');
      writeFileSync(place, bytes);
      await expect(restoreFrom(url, place)).rejects.toMatchObject({ code });
      expect(await tablesOf(url)).toEqual([]);
      await expect(restoreFrom(filled, place, { replace: true })).rejects.toMatchObject({ code });
    }
    expect((await tablesOf(filled)).length).toBeGreaterThan(10);
  });

  it('refuses a backup of a schema that it does not know', async () => {
    const url = await postgres.createDatabase();
    await expect(restoreFrom(url, file, { migrations: MIGRATIONS.slice(0, -1) })).rejects.toMatchObject({ code: 'BACKUP_NEWER' });
    expect(await tablesOf(url)).toEqual([]);
  });

  it('refuses a backup whose tables the migrations make differently now', async () => {
    class Other1763600000000 {
      async up(queryRunner: { query(sql: string): Promise<unknown> }) {
        await queryRunner.query('CREATE TABLE project (id bigint, name text, created_ms text)');
      }
      async down() {}
    }
    Object.defineProperty(Other1763600000000, 'name', { value: MIGRATIONS[0]!.name });
    const [source, url] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await runMigrations(source, MIGRATIONS.slice(0, 1));
    const place = path.join(folder, 'other.backup');
    await backUpTo(source, place);
    await expect(restoreFrom(url, place, { migrations: [Other1763600000000] })).rejects.toMatchObject({
      code: 'RESTORE_MISMATCH',
      message: expect.stringContaining('created_ms'),
    });
  });

  it('refuses a database that holds a Hearth, unless told to replace it', async () => {
    const url = await postgres.createDatabase();
    await runMigrations(url, MIGRATIONS);
    await query(url, "INSERT INTO project (name, created_ms) VALUES ('mine', 1)");
    await expect(restoreFrom(url, file)).rejects.toMatchObject({ code: 'RESTORE_NOT_EMPTY' });
    expect(await query(url, "SELECT name FROM project WHERE name = 'mine'")).toEqual([{ name: 'mine' }]);
    await restoreFrom(url, file, { replace: true });
    expect(await dump(url)).toBe(await dump(filled));
  });

  it('never replaces a database that is not a Hearth’s', async () => {
    const url = await postgres.createDatabase();
    await query(url, 'CREATE TABLE theirs AS SELECT 1 AS one');
    await expect(restoreFrom(url, file, { replace: true })).rejects.toMatchObject({ code: 'RESTORE_FOREIGN_DATABASE' });
    expect(await query(url, 'SELECT one FROM theirs')).toEqual([{ one: 1 }]);
  });

  it('refuses while servers use the database', async () => {
    const url = await postgres.createDatabase();
    const server = await connectDataSource({ url });
    await expect(restoreFrom(url, file)).rejects.toMatchObject({ code: 'RESTORE_BESIDE_SERVERS' });
    await server.destroy();
    await restoreFrom(url, file);
  });

  it('that is stopped leaves a database that says so, to servers and backups, and can be restored again', async () => {
    const url = await postgres.createDatabase();
    const stopping = new AbortController();
    const onStep = (step: string) => {
      if (step === 'loading') stopping.abort(new Error('pulled the plug'));
    };
    await expect(restoreFrom(url, file, { signal: stopping.signal, onStep })).rejects.toThrow('pulled the plug');
    const unfinished = { code: 'RESTORE_UNFINISHED', message: expect.stringContaining('newest.backup (20') };
    await expect(runMigrations(url, MIGRATIONS)).rejects.toMatchObject(unfinished);
    await expect(backUpTo(url, path.join(folder, 'unfinished.backup'))).rejects.toMatchObject(unfinished);
    await restoreFrom(url, file); // without replace: what is there is nobody's
    expect(await dump(url)).toBe(await dump(filled));
    expect(await runMigrations(url, MIGRATIONS)).toEqual([]);
  });

  it('from a pipe needs an empty database, and leaves the mark when the pipe breaks', async () => {
    const url = await postgres.createDatabase();
    const bytes = readFileSync(file);
    const pipe = (part: Buffer) => ({
      name: 'standard input',
      isFile: false,
      bytes: undefined,
      open: async function* () {
        yield part;
      },
    });
    const options = {
      replace: false,
      migrations: MIGRATIONS,
      signal: new AbortController().signal,
      onStep: () => undefined,
      onProgress: () => undefined,
    };
    await expect(restore(url, pipe(bytes), { ...options, replace: true })).rejects.toMatchObject({ code: 'RESTORE_NOT_EMPTY' });
    await expect(restore(url, pipe(Buffer.from('nothing of ours')), options)).rejects.toMatchObject({ code: 'BACKUP_FOREIGN' });
    expect(await tablesOf(url)).toEqual([]);
    await expect(restore(url, pipe(bytes.subarray(0, -10)), options)).rejects.toMatchObject({ code: 'BACKUP_TRUNCATED' });
    await expect(runMigrations(url, MIGRATIONS)).rejects.toMatchObject({ code: 'RESTORE_UNFINISHED' });
    await restore(url, pipe(bytes), options);
    expect(await dump(url)).toBe(await dump(filled));
  });
});
