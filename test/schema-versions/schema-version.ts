import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { connectDataSource } from '../../apps/server/src/platform/database/index.js';
import type { TestPostgres } from '../support/postgres.js';
import { startTestServer } from '../support/server.js';
import { dumpDatabase } from './dump-database.js';
import { askStore, fillStore, type StoreAnswers } from './made-store.js';

const FOLDER = path.join(import.meta.dirname, 'released');
export const HOW_TO_WRITE = 'npm run schema-version';

/** The first versions were kept with an hour's rows only, and without lines. */
const OF_THE_FIRST = { cpuOfDays: { sum: 0, samples: 0 }, selfOfLine: {} };

/** A database as a released version of the schema left it, with rows. */
export interface SchemaVersion {
  /** When its data begins. */
  readonly startMs: number;
  /** Of the server that wrote it. */
  readonly answers: StoreAnswers;
  readonly sql: string;
}

/** @param migration - Name of the last one. @returns `undefined`: nobody has written it yet. */
export function readSchemaVersion(migration: string): SchemaVersion | undefined {
  const file = fileOf(migration);
  if (!existsSync(file)) return undefined;
  const sql = readFileSync(file, 'utf8');
  const [head] = sql.split('\n', 1);
  const { startMs, answers } = JSON.parse(head!.replace(/^-- /, '')) as Omit<SchemaVersion, 'sql'>;
  return { startMs, answers: { ...OF_THE_FIRST, ...answers }, sql };
}

/** Builds it again, in an empty database. */
export async function loadSchemaVersion(databaseUrl: string, { sql }: Pick<SchemaVersion, 'sql'>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Writes the version that the migrations make now: fills a store, asks it, dumps it, and asks what was built from the dump. @returns The file. */
export async function writeSchemaVersion(postgres: TestPostgres): Promise<string> {
  const startMs = await fillStore(postgres.url);
  const answers = await askDatabase(postgres.url, startMs);
  const database = await connectDataSource({ url: postgres.url });
  const [latest] = (await database.query('SELECT name FROM migration ORDER BY id DESC LIMIT 1')) as { name: string }[];
  const sql = `-- ${JSON.stringify({ startMs, answers })}\n${await dumpDatabase(database)}`;
  await database.destroy();
  const copy = await postgres.createDatabase();
  await loadSchemaVersion(copy, { sql });
  const again = await askDatabase(copy, startMs);
  if (JSON.stringify(again) !== JSON.stringify(answers))
    throw new Error(`what was built from the dump answers differently: ${JSON.stringify(again)}`);
  writeFileSync(fileOf(latest!.name), sql);
  return path.relative(process.cwd(), fileOf(latest!.name));
}

async function askDatabase(databaseUrl: string, startMs: number): Promise<StoreAnswers> {
  const server = await startTestServer({ databaseUrl, role: 'api' });
  try {
    return await askStore(server, startMs);
  } finally {
    await server.stop();
  }
}

function fileOf(migration: string): string {
  return path.join(FOLDER, `${migration}.sql`);
}
