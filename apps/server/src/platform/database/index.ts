export { arrayText, nestedArrayText } from './array-text.js';
export { APPLICATION_NAME, connectDataSource } from './data-source.js';
export { inDatabaseTransaction } from './database-transaction.js';
export { ReadDatabase } from './read-database.js';
export type { Freshness } from './read-database.js';
export {
  appliedMigrations,
  applyMigrations,
  assertNoUnfinishedRestore,
  runMigrations,
  unfinishedRestore,
  withMigrationLock,
} from './run-migrations.js';
export type { MigrationClass } from './run-migrations.js';
