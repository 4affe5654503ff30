import { expect, it } from 'vitest';
import pg from 'pg';
import { startTestPostgres } from './postgres.js';

it('gives every caller an empty database of its own', async () => {
  const postgres = await startTestPostgres();
  try {
    const urls = [postgres.url, await postgres.createDatabase(), await postgres.createDatabase()];
    for (const url of urls) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query('CREATE TABLE once (id int)'); // fails in a database that somebody else has used
      await client.end();
    }
    expect(new Set(urls).size).toBe(3);
  } finally {
    await postgres.stop();
  }
});
