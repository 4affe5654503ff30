import { DataSource, type MigrationInterface } from 'typeorm';
import { dataSourceOptions } from './data-source.js';

/** Any number that nobody else locks in this database. */
const MIGRATION_LOCK = 4_040_000_001;

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
    // Of the session, not of a database transaction: it ends with the connection, also when this process is killed.
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      return (await dataSource.runMigrations()).map((migration) => migration.name);
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
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
