import pg from 'pg';
import { until } from './until.js';

/** Waits until no minute is pending, as the database says: a server's gauge is up to 5 s older, and 0 before it was measured. */
export async function allBuilt(databaseUrl: string, withinMs?: number): Promise<void> {
  await untilTrue(databaseUrl, 'SELECT NOT EXISTS (SELECT FROM profile_window WHERE sequence > built_sequence)', [], withinMs);
}

/** Waits until days hold everything from before this time, and the totals of releases too; it must be of days that have ended. */
export async function allInDays(databaseUrl: string, beforeMs: number, withinMs: number): Promise<void> {
  await untilTrue(
    databaseUrl,
    `SELECT EXISTS (SELECT FROM release_totals) AND NOT EXISTS (
       SELECT FROM hour_window WHERE sequence > built_sequence AND window_start_ms < $1 UNION ALL
       SELECT FROM day_window WHERE sequence > built_sequence AND window_start_ms < $1)`,
    [beforeMs],
    withinMs,
  );
}

async function untilTrue(databaseUrl: string, question: string, values: readonly number[], withinMs?: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await until(async () => {
      const { rows } = await client.query<[boolean]>({ text: question, values: [...values], rowMode: 'array' });
      return rows[0]![0] || undefined;
    }, withinMs);
  } finally {
    await client.end();
  }
}
