/** npm run migrate: brings the database of DATABASE_URL up to date. A starting server does the same by itself. */
import { ensureReady } from './setup.mjs';

const url = process.env.DATABASE_URL;
if (!url) {
  console.error(
    'DATABASE_URL is missing: name the database, as in DATABASE_URL=postgres://user:password@host:5432/hearth. The embedded one is migrated when Hearth starts.',
  );
  process.exit(2);
}
await ensureReady();
const { runMigrations } = await import('../apps/server/dist/platform/database/index.js');
const { MIGRATIONS } = await import('../apps/server/dist/migrations/index.js');
try {
  const migrated = await runMigrations(url, MIGRATIONS);
  console.log(migrated.length === 0 ? 'The database was up to date.' : `Done: ${migrated.join(', ')}`);
} catch (error) {
  console.error(`The database cannot be migrated: ${error.message}`);
  process.exit(1);
}
