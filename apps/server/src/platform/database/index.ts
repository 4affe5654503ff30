export { connectDataSource, dataSourceOptions } from './data-source.js';
export type { DatabasePlace } from './data-source.js';
export { inDatabaseTransaction } from './database-transaction.js';
export type { DatabaseTransaction, IsolationLevel } from './database-transaction.js';
export { runMigrations, undoLatestMigration } from './run-migrations.js';
export type { MigrationClass } from './run-migrations.js';
