import pg from 'pg';
import { until } from './until.js';

const PENDING = {
  minute: 'SELECT FROM profile_window WHERE sequence > built_sequence LIMIT 1',
  hour: 'SELECT FROM hour_window WHERE sequence > built_sequence LIMIT 1',
  day: 'SELECT FROM day_window WHERE sequence > built_sequence LIMIT 1',
};

/**
 * Waits until nothing is pending, as the database says: a server's gauge is up to 5 s older, and 0 before it was measured.
 *
 * @param levels - The coarser ones are pending only once something below them is built: name them together.
 */
export async function allBuilt(
  databaseUrl: string,
  levels: readonly (keyof typeof PENDING)[] = ['minute'],
  withinMs?: number,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined); // the next question reports it
  await client.connect();
  try {
    await until(async () => {
      for (const level of levels) if ((await client.query(PENDING[level])).rowCount !== 0) return undefined;
      return true;
    }, withinMs);
  } finally {
    await client.end();
  }
}
