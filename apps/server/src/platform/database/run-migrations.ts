import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { HearthError } from '../http/hearth-error.js';
import { connectDataSource } from './data-source.js';
import { inDatabaseTransaction } from './database-transaction.js';

/** Any number that nobody else locks in this database. */
const MIGRATION_LOCK = 4_040_000_001;
/** How often a server that waits for another's migrations asks again. */
const LOCK_POLL_MS = 100;
/** A statement that waits for a table stops everybody who comes after it, so it does not wait long and comes again. */
const TABLE_LOCK_TIMEOUT_MS = 500;
const RETRY_MS = 1_000;
/** lock_not_available, deadlock_detected: nothing is wrong but the moment. */
const TRY_AGAIN = new Set(['55P03', '40P01']);

export type MigrationClass = new () => MigrationInterface;
export interface MigrationOptions {
  /** Told, again and again, what a migration is waiting for. */
  readonly onWait?: (message: string) => void;
}

/**
 * Brings the schema up to date, oldest migration first. Servers that start together wait for the first; the others find
 * nothing left to do. A migration that cannot have a table now lets go, and tries again until it can.
 *
 * @returns The names of the migrations that ran.
 * @throws {HearthError} `SCHEMA_NEWER`, `RESTORE_UNFINISHED`
 */
export async function runMigrations(
  url: string,
  migrations: readonly MigrationClass[],
  options: MigrationOptions = {},
): Promise<string[]> {
  return withMigrationLock(url, async (dataSource) => {
    await assertNoUnfinishedRestore(dataSource);
    return applyMigrations(dataSource, migrations, options);
  });
}

/**
 * Runs `work` while no other process migrates or restores this database; waits for its turn.
 *
 * @param work - Gets connections of its own; the lock is on another one.
 */
export async function withMigrationLock<Result>(url: string, work: (dataSource: DataSource) => Promise<Result>): Promise<Result> {
  const dataSource = await connectDataSource({ url, poolSize: 3, applicationName: 'hearth-migration' });
  try {
    const lock = dataSource.createQueryRunner();
    try {
      while (!(await tryLock(lock))) await sleep(LOCK_POLL_MS);
      return await work(dataSource);
    } finally {
      // With the connection gone the rollback fails too, and the lock is gone with it.
      if (lock.isTransactionActive) await lock.rollbackTransaction().catch(() => undefined);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

/** Runs what is missing of `migrations`. For the holder of the migration lock. @throws {HearthError} `SCHEMA_NEWER` */
export async function applyMigrations(
  dataSource: DataSource,
  migrations: readonly MigrationClass[],
  { onWait }: MigrationOptions = {},
): Promise<string[]> {
  await dataSource.query(
    'CREATE TABLE IF NOT EXISTS migration (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL)',
  );
  const applied = await appliedMigrations(dataSource);
  const known = migrations.map(({ name }) => name);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new HearthError(
      'SCHEMA_NEWER',
      `a newer Hearth has migrated this database (${unknown.join(', ')}): start that version, or restore a backup of before`,
    );
  }
  const missing = migrations.filter(({ name }) => !applied.includes(name));
  for (const migration of missing) await applyUntilItCan(dataSource, migration, onWait);
  return missing.map(({ name }) => name);
}

/** Names of the migrations that this database has had, oldest first. */
export async function appliedMigrations(database: DataSource | QueryRunner): Promise<string[]> {
  const rows = (await database.query('SELECT name FROM migration ORDER BY id')) as { name: string }[];
  return rows.map(({ name }) => name);
}

/**
 * Of a database transaction that does nothing else: a pooler keeps its connection for it, and it ends with the connection,
 * also when this process is killed. Asked for again and again, not waited for: twenty that wait could fill a pool in which the
 * one that migrates needs a second connection, and CREATE INDEX CONCURRENTLY would wait for their snapshots.
 */
async function tryLock(lock: QueryRunner): Promise<boolean> {
  await lock.startTransaction();
  await lock.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  // The number in the text: a question with parameters leaves its portal open until the next one, and with it a snapshot.
  const [row] = (await lock.query(`SELECT pg_try_advisory_xact_lock(${MIGRATION_LOCK}) AS locked`)) as [{ locked: boolean }];
  if (!row.locked) await lock.rollbackTransaction();
  return row.locked;
}

async function applyUntilItCan(
  dataSource: DataSource,
  migration: MigrationClass,
  onWait: MigrationOptions['onWait'],
): Promise<void> {
  for (;;) {
    try {
      await applyOnce(dataSource, migration);
      return;
    } catch (error) {
      if (!TRY_AGAIN.has(String((error as { code?: unknown }).code))) throw error;
      onWait?.(`${migration.name} waits for a table: ${await oldestTransaction(dataSource)}`);
      await sleep(RETRY_MS);
    }
  }
}

async function applyOnce(dataSource: DataSource, Migration: MigrationClass): Promise<void> {
  const migration = new Migration();
  const timestamp = Number(Migration.name.slice(-13));
  const record = { text: 'INSERT INTO migration ("timestamp", name) VALUES ($1, $2)', values: [timestamp, Migration.name] };
  // Step by step, each step by itself: what takes long (an index, moving rows) would keep its locks until the end.
  if (migration.transaction === false) {
    const queryRunner = dataSource.createQueryRunner();
    try {
      await migration.up(queryRunner);
      await queryRunner.query(record.text, record.values);
    } finally {
      await queryRunner.release();
    }
    return;
  }
  await inDatabaseTransaction(dataSource, async ({ queryRunner }) => {
    await queryRunner.query(`SET LOCAL lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
    await queryRunner.query('SET LOCAL statement_timeout = 0');
    await migration.up(queryRunner);
    await queryRunner.query(record.text, record.values);
  });
}

/** Whoever holds a table for long is most likely the oldest. */
async function oldestTransaction(dataSource: DataSource): Promise<string> {
  const [oldest] = (await dataSource.query(`
    SELECT pid, application_name AS program, round(extract(epoch FROM clock_timestamp() - xact_start))::int AS seconds
    FROM pg_stat_activity JOIN (SELECT DISTINCT pid FROM pg_locks WHERE relation IS NOT NULL AND granted) AS holder USING (pid)
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`)) as {
    pid: number;
    program: string;
    seconds: number;
  }[];
  if (oldest === undefined) return 'it is free again';
  return `the oldest database transaction is of Postgres process ${oldest.pid} (${oldest.program || 'no name'}), since ${oldest.seconds} s`;
}

/** @throws {HearthError} `RESTORE_UNFINISHED` */
export async function assertNoUnfinishedRestore(dataSource: DataSource): Promise<void> {
  const unfinished = await unfinishedRestore(dataSource);
  if (unfinished !== undefined) {
    throw new HearthError(
      'RESTORE_UNFINISHED',
      `a restore of ${unfinished} into this database did not end: what is in it is not whole. Restore again, into this same database`,
    );
  }
}

/** What a restore that was begun and has not ended is a restore of: the one row of a table that is there only until then. */
export async function unfinishedRestore(dataSource: DataSource): Promise<string | undefined> {
  const [table] = (await dataSource.query("SELECT to_regclass('unfinished_restore') IS NOT NULL AS here")) as { here: boolean }[];
  if (!table!.here) return undefined;
  const [row] = (await dataSource.query('SELECT source FROM unfinished_restore')) as { source: string }[];
  return row!.source;
}
