export { arrayText, nestedArrayText } from './array-text.js';
export { connectDataSource } from './data-source.js';
export { inDatabaseTransaction } from './database-transaction.js';
export { ReadDatabase } from './read-database.js';
export type { Freshness } from './read-database.js';
export { runMigrations } from './run-migrations.js';
