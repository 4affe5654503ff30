import type { ClientBase } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { z } from 'zod';
import {
  appliedMigrations,
  assertNoUnfinishedRestore,
  connectDataSource,
  inDatabaseTransaction,
} from '../platform/database/index.js';
import { HearthError } from '../platform/http/index.js';
import { VERSION } from '../version.js';
import { backupHead, type TableHead } from './backup-format.js';
import { BackupWriter, type BackupSink } from './backup-writer.js';
import { endingWith } from './ending-with.js';
import { describeTables, listTables, quoted, readSequences, tableBytes } from './stored-tables.js';

export interface BackupOptions {
  readonly signal: AbortSignal;
  /** Told often. `total` is an estimate: bytes of the tables on disk. */
  readonly onProgress: (table: string, doneBytes: number, totalBytes: number) => void;
}

export interface BackupSummary {
  readonly migrations: readonly string[];
  readonly tables: number;
  readonly rows: number;
  /** Written. */
  readonly bytes: number;
}

/**
 * Writes everything that Hearth's tables hold at one moment. Servers may go on beside it: nobody waits for it but whoever
 * wants to drop a table or change its columns. The queue is left out: every job in it is derived from a row that is written.
 *
 * @throws {HearthError} `BACKUP_NOTHING`, `BACKUP_FOREIGN_TABLE`, `RESTORE_UNFINISHED`; the signal's reason
 */
export async function backUp(url: string, sink: BackupSink, options: BackupOptions): Promise<BackupSummary> {
  const dataSource = await connectDataSource({ url, poolSize: 2, applicationName: 'hearth-backup' });
  try {
    const tables = await inDatabaseTransaction(dataSource, ({ client }) => listTables(client));
    if (!tables.includes('migration'))
      throw new HearthError('BACKUP_NOTHING', 'this database holds no Hearth: there is nothing to back up');
    await assertNoUnfinishedRestore(dataSource);
    return await inDatabaseTransaction(
      dataSource,
      async ({ client, queryRunner }) => {
        await client.query('SET LOCAL statement_timeout = 0');
        await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
        // Before the snapshot, which is taken by the first question: a table that was rewritten or lost a partition in
        // between would look empty to it.
        await client.query(`LOCK TABLE ${tables.map(quoted).join(', ')} IN ACCESS SHARE MODE`);
        return endingWith(options.signal, dataSource, client, async () =>
          writeSnapshot(client, await appliedMigrations(queryRunner), sink, options),
        );
      },
      'REPEATABLE READ',
    );
  } finally {
    await dataSource.destroy();
  }
}

async function writeSnapshot(
  client: ClientBase,
  migrations: string[],
  sink: BackupSink,
  { signal, onProgress }: BackupOptions,
): Promise<BackupSummary> {
  const described = (await describeTables(client)).filter(({ name }) => name !== 'migration');
  const sizes = await tableBytes(client);
  const totalBytes = described.reduce((sum, { name }) => sum + (sizes.get(name) ?? 0), 0);

  const writer = new BackupWriter(sink);
  const sequences = await readSequences(client);
  const head = backupHead.safeParse({ hearthVersion: VERSION, createdMs: Date.now(), migrations, tables: described, sequences });
  if (!head.success) throw unreadable(head.error, described);
  await writer.head(head.data);
  let [rows, doneBytes] = [0, 0];
  for (const table of described) {
    const tableStart = doneBytes;
    const tableRows = await copyTable(client, table, async (chunk) => {
      signal.throwIfAborted();
      await writer.rows(chunk);
      doneBytes += chunk.length;
      onProgress(table.name, Math.min(doneBytes, tableStart + (sizes.get(table.name) ?? 0)), totalBytes);
    });
    doneBytes = tableStart + (sizes.get(table.name) ?? 0);
    rows += tableRows;
    await writer.table(table.name, tableRows);
  }
  await writer.end();
  return { migrations, tables: described.length, rows, bytes: writer.written };
}

/** What nobody could read again is not written. */
function unreadable({ issues }: z.ZodError, tables: readonly TableHead[]): HearthError {
  const [, row] = issues[0]!.path;
  const table = issues[0]!.path[0] === 'tables' ? ` (table ${tables[Number(row)]!.name})` : '';
  return new HearthError(
    'BACKUP_FOREIGN_TABLE',
    `the database holds names that are not Hearth's and that a backup cannot hold${table}: ${issues[0]!.path.join('.')}: ${issues[0]!.message}`,
  );
}

/** @returns Rows. */
async function copyTable(
  client: ClientBase,
  { name, columns }: TableHead,
  onChunk: (chunk: Buffer) => Promise<void>,
): Promise<number> {
  const list = columns.map((column) => quoted(column.name)).join(', ');
  // A question, because COPY takes no table that has partitions.
  const stream = client.query(copyTo(`COPY (SELECT ${list} FROM ${quoted(name)}) TO STDOUT (FORMAT binary)`));
  for await (const chunk of stream as AsyncIterable<Buffer>) await onChunk(chunk);
  return stream.rowCount;
}
