import { expect, it } from 'vitest';
import { connectDataSource } from '../../apps/server/src/platform/database/index.js';
import { startTestPostgres } from './postgres.js';

it('gives every caller an empty database of its own', async () => {
  const postgres = await startTestPostgres();
  try {
    const urls = [postgres.url, await postgres.createDatabase(), await postgres.createDatabase()];
    for (const url of urls) {
      const dataSource = await connectDataSource({ url });
      await dataSource.query('CREATE TABLE once (id int)'); // fails in a database that somebody else has used
      await dataSource.destroy();
    }
    expect(new Set(urls).size).toBe(3);
  } finally {
    await postgres.stop();
  }
});
