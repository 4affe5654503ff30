import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from './data-source.js';

/** Any number that nobody else locks in this database. */
const MIGRATION_LOCK = 4_040_000_001;
const LOCK_POLL_MS = 100;

export type MigrationClass = new () => MigrationInterface;

/**
 * Brings the schema up to date, each migration in its own database transaction. Servers that start together wait for
 * the first; the others find nothing left to do. @returns The names of the migrations that ran.
 */
export async function runMigrations(url: string, migrations: MigrationClass[]): Promise<string[]> {
  // Two connections: one holds the lock, one migrates.
  const dataSource = await new DataSource({
    ...dataSourceOptions({ url, poolSize: 2 }),
    migrations,
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
  }).initialize();
  try {
    const lock = dataSource.createQueryRunner();
    try {
      while (!(await tryLock(lock))) await sleep(LOCK_POLL_MS);
      return (await dataSource.runMigrations()).map((migration) => migration.name);
    } finally {
      if (lock.isTransactionActive) await lock.rollbackTransaction();
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

/** Takes the latest migration back. Only the latest has a way down that is tested. */
export async function undoLatestMigration(url: string, migrations: MigrationClass[]): Promise<void> {
  const dataSource = await new DataSource({
    ...dataSourceOptions({ url, poolSize: 2 }),
    migrations,
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
  }).initialize();
  try {
    await dataSource.undoLastMigration();
  } finally {
    await dataSource.destroy();
  }
}

/**
 * Of a database transaction that does nothing else: a pooler keeps its connection for it, and it ends with the connection,
 * also when this process is killed. Asked for again and again, not waited for: twenty that wait could fill a pool in which the
 * one that migrates needs a second connection, and CREATE INDEX CONCURRENTLY would wait for their snapshots.
 */
async function tryLock(lock: QueryRunner): Promise<boolean> {
  await lock.startTransaction();
  await lock.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  const [row] = (await lock.query('SELECT pg_try_advisory_xact_lock($1) AS locked', [MIGRATION_LOCK])) as [{ locked: boolean }];
  if (!row.locked) await lock.rollbackTransaction();
  return row.locked;
}
