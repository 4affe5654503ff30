/** npm run schema-version: writes what the newest version of the schema looks like with rows in it, for the tests of every later migration. */
import { ensureReady } from './setup.mjs';

await ensureReady();
await import('./typescript/register.mjs');
const { startTestPostgres } = await import('../test/support/postgres.ts');
const { writeSchemaVersion } = await import('../test/schema-versions/schema-version.ts');
const postgres = await startTestPostgres();
try {
  console.log(`Written: ${await writeSchemaVersion(postgres)}`);
} finally {
  await postgres.stop();
}
