import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { DataSource } from 'typeorm';
import {
  APPLICATION_NAME,
  applyMigrations,
  inDatabaseTransaction,
  unfinishedRestore,
  withMigrationLock,
  type MigrationClass,
} from '../platform/database/index.js';
import { HearthError } from '../platform/http/index.js';
import type { BackupHead, TableHead } from './backup-format.js';
import { readBackup, type BackupPart } from './backup-reader.js';
import { endingWith } from './ending-with.js';
import { describeTables, listRoutines, listTables, quoted } from './stored-tables.js';

export interface BackupSource {
  /** What to call it, in messages and in the database. */
  readonly name: string;
  /** Whether it can be opened twice: then it is checked to its end before anything is touched. */
  readonly isFile: boolean;
  /** Of the whole; `undefined`: nobody knows. */
  readonly bytes: number | undefined;
  open(): AsyncIterable<Buffer>;
}

export interface RestoreOptions {
  /** Empty a database that holds a Hearth. Default: refuse it. */
  readonly replace: boolean;
  /** Every migration this server knows, oldest first. */
  readonly migrations: readonly MigrationClass[];
  readonly signal: AbortSignal;
  /** Told before each step. */
  readonly onStep: (step: string) => void;
  /** Told often. */
  readonly onProgress: (what: string, doneBytes: number) => void;
}

export interface RestoreSummary {
  readonly head: BackupHead;
  readonly rows: number;
  /** Migrations that came after the backup, and have run on what was restored. */
  readonly migrated: readonly string[];
  /** Tables of the backup that are not Hearth's, and were left out. */
  readonly leftOut: readonly string[];
}

/**
 * Makes the database what it was when the backup was written, then brings it up to date. From the first change on the
 * database says that it is not whole, until all of it is: a restore that was killed is begun again.
 *
 * @throws {HearthError} `BACKUP_...` for the file; `RESTORE_NOT_EMPTY`, `RESTORE_BESIDE_SERVERS`, `RESTORE_FOREIGN_DATABASE`,
 *   `RESTORE_MISMATCH`; the signal's reason
 */
export async function restore(url: string, source: BackupSource, options: RestoreOptions): Promise<RestoreSummary> {
  if (source.isFile) {
    options.onStep('checking the file');
    await checkBackup(source, options);
  } else if (options.replace) {
    throw new HearthError(
      'RESTORE_NOT_EMPTY',
      'what comes from standard input cannot be checked before the database is emptied: restore from a file, or into an empty database',
    );
  }
  return withMigrationLock(url, async (dataSource) => {
    await assertMayRestore(dataSource, options.replace);
    const parts = readBackup(told(source, 'loading', options));
    const head = await readHead(parts, options.migrations);
    options.onStep('making the schema');
    await empty(dataSource, `${source.name} (${new Date(head.createdMs).toISOString()})`);
    await applyMigrations(
      dataSource,
      options.migrations.filter(({ name }) => head.migrations.includes(name)),
    );
    options.onStep('loading');
    const { rows, leftOut } = await load(dataSource, head, parts, options);
    options.onStep('bringing it up to date');
    const migrated = await applyMigrations(dataSource, options.migrations);
    await dataSource.query('ANALYZE');
    return { head, rows, migrated, leftOut };
  });
}

/** @throws {HearthError} whatever reading it to its end finds */
async function checkBackup(source: BackupSource, options: RestoreOptions): Promise<void> {
  const parts = readBackup(told(source, 'checking', options));
  await readHead(parts, options.migrations);
  for await (const { kind } of parts) if (kind === 'rows') options.signal.throwIfAborted();
}

/** The bytes of a source, with word of how many there were. */
async function* told(source: BackupSource, what: string, { onProgress }: RestoreOptions): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source.open()) {
    bytes += chunk.length;
    onProgress(what, bytes);
    yield chunk;
  }
}

async function readHead(parts: AsyncGenerator<BackupPart>, migrations: readonly MigrationClass[]): Promise<BackupHead> {
  const first = (await parts.next()).value as BackupPart;
  if (first.kind !== 'head') throw new Error('a backup begins with its head');
  const unknown = first.head.migrations.filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new HearthError(
      'BACKUP_NEWER',
      `Hearth ${first.head.hearthVersion} wrote this backup, with a schema that this version does not know (${unknown.join(', ')})`,
    );
  }
  return first.head;
}

async function assertMayRestore(dataSource: DataSource, replace: boolean): Promise<void> {
  const [servers] = (await dataSource.query(
    'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
    [APPLICATION_NAME],
  )) as { n: number }[];
  if (servers!.n > 0) {
    throw new HearthError(
      'RESTORE_BESIDE_SERVERS',
      `${servers!.n} connections of running Hearth servers use this database, and remember what it holds: stop every api and worker first`,
    );
  }
  if ((await unfinishedRestore(dataSource)) !== undefined) return; // what is in it is not whole, and nobody's
  const tables = await inDatabaseTransaction(dataSource, ({ client }) => listTables(client));
  if (tables.length === 0) return;
  if (!tables.includes('migration')) {
    throw new HearthError(
      'RESTORE_FOREIGN_DATABASE',
      `this database holds tables of something else (${tables.slice(0, 5).join(', ')}): give Hearth a database of its own`,
    );
  }
  if (!replace) {
    throw new HearthError(
      'RESTORE_NOT_EMPTY',
      'this database holds a Hearth already: restore into an empty one, or say --replace to lose what is in this one',
    );
  }
}

/** Leaves nothing but the mark that says what is coming. The queue goes too: its jobs are about rows that are gone. */
async function empty(dataSource: DataSource, coming: string): Promise<void> {
  await inDatabaseTransaction(dataSource, async ({ client }) => {
    const tables = await listTables(client);
    if (tables.length > 0) await client.query(`DROP TABLE ${tables.map(quoted).join(', ')} CASCADE`);
    for (const routine of await listRoutines(client)) await client.query(`DROP ROUTINE ${routine} CASCADE`);
    await client.query('DROP SCHEMA IF EXISTS bullmq CASCADE');
    await client.query('CREATE TABLE unfinished_restore (source text NOT NULL)');
    await client.query('INSERT INTO unfinished_restore VALUES ($1)', [coming]);
  });
}

/** All rows in one database transaction, with which the mark goes as well. */
async function load(
  dataSource: DataSource,
  head: BackupHead,
  parts: AsyncGenerator<BackupPart>,
  { signal }: RestoreOptions,
): Promise<{ rows: number; leftOut: string[] }> {
  return inDatabaseTransaction(dataSource, async ({ client }) =>
    endingWith(signal, dataSource, client, async () => {
      await client.query('SET LOCAL statement_timeout = 0');
      const made = await describeTables(client);
      const known = head.tables.filter(({ name }) => made.some((table) => table.name === name));
      for (const table of known)
        await prepareTable(
          client,
          table,
          made.find(({ name }) => name === table.name)!,
        );
      // What migrations put there themselves is in the backup too, as it was.
      if (known.length > 0) await client.query(`TRUNCATE ${known.map(({ name }) => quoted(name)).join(', ')}`);
      const rows = await loadTables(client, head, new Set(known.map(({ name }) => name)), parts, signal);
      // Those of tables that were left out are not there.
      for (const { name, last } of head.sequences)
        await client.query('SELECT setval(sequence, $2) FROM to_regclass($1) AS sequence WHERE sequence IS NOT NULL', [
          quoted(name),
          last,
        ]);
      await client.query('DROP TABLE unfinished_restore');
      return { rows, leftOut: head.tables.filter((table) => !known.includes(table)).map(({ name }) => name) };
    }),
  );
}

/** @throws {HearthError} `RESTORE_MISMATCH` when the migrations of this server no longer make the table that was backed up */
async function prepareTable(client: ClientBase, { name, columns, partitions }: TableHead, made: TableHead): Promise<void> {
  const lines = (table: Pick<TableHead, 'columns'>) => table.columns.map((column) => `${column.name} ${column.type}`).sort();
  const [expected, found] = [lines({ columns }), lines(made)];
  if (expected.join() !== found.join()) {
    const different = [...expected.filter((line) => !found.includes(line)), ...found.filter((line) => !expected.includes(line))];
    throw new HearthError('RESTORE_MISMATCH', `table ${name} is made with other columns now: ${different.join(', ')}`);
  }
  for (const partition of partitions) {
    if (made.partitions.some((one) => one.name === partition.name)) continue;
    const { storage = [] } = partition;
    const parameters = storage.length === 0 ? '' : ` WITH (${storage.join(', ')})`;
    await client.query(`CREATE TABLE ${quoted(partition.name)} (LIKE ${quoted(name)} INCLUDING ALL)${parameters}`);
    await client.query(`ALTER TABLE ${quoted(name)} ATTACH PARTITION ${quoted(partition.name)} ${partition.bound}`);
  }
}

/** @returns Rows loaded. @throws {HearthError} `RESTORE_MISMATCH` when a table does not hold as many rows as it did */
async function loadTables(
  client: ClientBase,
  head: BackupHead,
  known: ReadonlySet<string>,
  parts: AsyncGenerator<BackupPart>,
  signal: AbortSignal,
): Promise<number> {
  let rows = 0;
  let table = 0;
  let loading: TableLoad | undefined;
  for await (const part of parts) {
    signal.throwIfAborted();
    const { name, columns } = head.tables[table] ?? { name: '', columns: [] };
    if (part.kind === 'rows' && known.has(name)) {
      loading ??= new TableLoad(client, name, columns);
      await loading.write(await part.bytes());
    } else if (part.kind === 'table') {
      await loading?.end();
      if (known.has(name)) rows += await countRows(client, name, part.rows);
      loading = undefined;
      table += 1;
    }
  }
  return rows;
}

async function countRows(client: ClientBase, name: string, expected: number): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`SELECT count(*) AS n FROM ${quoted(name)}`);
  if (rows[0]!.n !== expected)
    throw new HearthError(
      'RESTORE_MISMATCH',
      `${name} holds ${rows[0]!.n} rows after loading, and held ${expected} in the backup`,
    );
  return expected;
}

/** One `COPY ... FROM STDIN`, fed piece by piece. */
class TableLoad {
  readonly #stream: ReturnType<typeof copyFrom>;
  /** Rejects as soon as Postgres refuses something. */
  readonly #done: Promise<void>;

  constructor(client: ClientBase, name: string, columns: TableHead['columns']) {
    const list = columns.map((column) => quoted(column.name)).join(', ');
    this.#stream = client.query(copyFrom(`COPY ${quoted(name)} (${list}) FROM STDIN (FORMAT binary)`));
    this.#done = new Promise((resolve, reject) => {
      this.#stream.on('error', reject).once('finish', resolve);
    });
    this.#done.catch(() => undefined); // told by write or end
  }

  async write(bytes: Buffer): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.#stream.write(bytes, () => {
        resolve();
      });
    });
    await Promise.race([written, this.#done]);
  }

  async end(): Promise<void> {
    this.#stream.end();
    await this.#done;
  }
}
