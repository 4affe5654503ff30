import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../config/environment.js';
import { MIGRATIONS } from '../migrations/index.js';
import { EmbeddedPostgres } from '../platform/embedded-postgres/index.js';
import { HearthError } from '../platform/http/index.js';
import { backUp } from './backup.js';
import { openSource, openTarget } from './backup-place.js';
import type { Command } from './command-line.js';
import { ProgressLine } from './progress-line.js';
import { restore } from './restore.js';

/** Runs one command to its end. Everything it says goes to standard error: standard output may be the backup. */
export async function runCommand(command: Command, environment: Environment, signal: AbortSignal): Promise<void> {
  const progress = new ProgressLine(process.stderr);
  if (command.name === 'backup') await runBackup(command.place, environment, signal, progress);
  else await runRestore(command.place, command.replace, environment, signal, progress);
}

async function runBackup(place: string, environment: Environment, signal: AbortSignal, progress: ProgressLine): Promise<void> {
  const startedMs = Date.now();
  const summary = await withDatabase(environment, 'filled', async (url) => {
    const target = await openTarget(place);
    try {
      const done = await backUp(url, target, {
        signal,
        onProgress: (table, doneBytes, totalBytes) => {
          progress.update(`backup: ${table}, ${percent(doneBytes, totalBytes)} of about ${megabytes(totalBytes)}`);
        },
      });
      await target.keep();
      return done;
    } catch (error) {
      await target.discard();
      throw error;
    }
  });
  progress.line(
    `backup: ${summary.rows} rows of ${summary.tables} tables, ${megabytes(summary.bytes)}, schema ${summary.migrations.at(-1)}, in ${seconds(startedMs)}`,
  );
}

async function runRestore(
  place: string,
  replace: boolean,
  environment: Environment,
  signal: AbortSignal,
  progress: ProgressLine,
): Promise<void> {
  const startedMs = Date.now();
  const source = await openSource(place);
  const { head, rows, migrated, leftOut } = await withDatabase(environment, 'unused', (url) =>
    restore(url, source, {
      replace,
      migrations: MIGRATIONS,
      signal,
      onStep: (step) => {
        progress.line(`restore: ${step}`);
      },
      onProgress: (what, doneBytes) => {
        progress.update(
          `restore: ${what}, ${source.bytes === undefined ? megabytes(doneBytes) : `${percent(doneBytes, source.bytes)} of ${megabytes(source.bytes)}`}`,
        );
      },
    }),
  );
  if (leftOut.length > 0) progress.line(`restore: left out, because they are not Hearth's: ${leftOut.join(', ')}`);
  if (migrated.length > 0) progress.line(`restore: migrated from ${head.migrations.at(-1)} to ${migrated.at(-1)}`);
  progress.line(
    `restore: ${rows} rows of a backup of ${new Date(head.createdMs).toISOString()}, checked, in ${seconds(startedMs)}`,
  );
}

/**
 * The database of DATABASE_URL; else that of a server that runs on the data folder; else the embedded one, started for
 * as long as `work` takes.
 *
 * @param which - `filled`: a folder that was never used is a mistake in its name, not an empty database. `unused`: nobody
 *   else may be at work there.
 */
async function withDatabase<Result>(
  { databaseUrl, dataDir }: Environment,
  which: 'filled' | 'unused',
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl !== undefined) return work(databaseUrl);
  const homeDir = path.join(dataDir, 'postgres');
  const running = EmbeddedPostgres.urlOfRunning(homeDir);
  if (running !== undefined) {
    if (which === 'unused')
      throw new HearthError('RESTORE_BESIDE_SERVERS', `a server runs on HEARTH_DATA_DIR ${dataDir}: stop it first`);
    return work(running);
  }
  if (which === 'filled' && !existsSync(path.join(homeDir, 'data/PG_VERSION'))) {
    throw new HearthError('BACKUP_NOTHING', `no Hearth has run in HEARTH_DATA_DIR ${dataDir}, and DATABASE_URL is not set`);
  }
  const postgres = await EmbeddedPostgres.start({ homeDir });
  try {
    return await work(postgres.url());
  } finally {
    await postgres.stop();
  }
}

function percent(done: number, total: number): string {
  return `${Math.floor(total === 0 ? 100 : (Math.min(done, total) / total) * 100)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}
