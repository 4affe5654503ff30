import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestPostgres } from './postgres.js';

/** Settings of a test's Postgres that keeps every statement it is given. */
export const KEEP_STATEMENTS = {
  log_statement: 'all',
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_directory: 'log',
  log_filename: 'statements.log',
  log_rotation_size: '0',
};

/** The distinct statements that Hearth's own connections gave to one database: not those of the queue, which knows no services. */
export function keptStatements(postgres: TestPostgres, url: string): string[] {
  const database = new URL(url).pathname.slice(1);
  const lines = readFileSync(path.join(postgres.homeDir, 'data/log/statements.json'), 'utf8').split('\n');
  const statements = new Set<string>();
  for (const line of lines) {
    if (line === '') continue;
    const entry = JSON.parse(line) as { dbname?: string; application_name?: string; message: string };
    const [, statement] = /^(?:statement|execute [^:]*): (.*)$/s.exec(entry.message) ?? [];
    // A question adds its own name behind ours.
    const isOurs = entry.dbname === database && /^hearth( |$)/.test(entry.application_name ?? '');
    if (isOurs && statement !== undefined) statements.add(statement);
  }
  return [...statements];
}
