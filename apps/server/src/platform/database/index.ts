export { connectDataSource } from './data-source.js';
export { inDatabaseTransaction } from './database-transaction.js';
export { runMigrations } from './run-migrations.js';
