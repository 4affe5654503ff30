import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { inDatabaseTransaction } from './database-transaction.js';

/** With the partition's object id the number of an advisory lock: one rewriter of a partition at a time. */
const REWRITE_LOCK = 404_003;
/** Everybody who uses the table waits behind us for so long at most; the swap is tried again. */
const LOCK_TIMEOUT_MS = 300;
const LOCK_NOT_AVAILABLE = '55P03';

export interface PartitionToRewrite {
  readonly parent: string;
  readonly table: string;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  /** Storage parameters. */
  readonly storage: string | undefined;
}

/** What a rewrite leaves beside a partition if it is killed. The next one, or the drop of the partition, takes it away. */
export const leftoversOf = (table: string) => [`${table}_new`, `${table}_changed`];

/**
 * Writes a partition anew and puts it in the place of the old one, so that deleted rows give their disk back. Readers and
 * writers go on meanwhile: a trigger notes the keys of rows that change, and they are copied again under the lock of the swap.
 * Killed anywhere, the old partition is still there and whole. An empty one is not written again, only dropped.
 *
 * @returns `busy`: somebody else rewrites it, or it was in use each time a lock was asked for; try again later. Otherwise the size before and after.
 */
export async function rewritePartition(
  dataSource: DataSource,
  partition: PartitionToRewrite,
): Promise<'busy' | { readonly bytesBefore: number; readonly bytesAfter: number }> {
  const holder = dataSource.createQueryRunner();
  try {
    const lockedBy = [REWRITE_LOCK, partition.table];
    const [lock] = (await holder.query('SELECT pg_try_advisory_lock($1, hashtext($2)) AS held', lockedBy)) as { held: boolean }[];
    if (!lock!.held) return 'busy';
    try {
      if (!(await isThere(dataSource, partition.table))) return 'busy';
      const columns = await columnsOf(dataSource, partition.parent);
      await withShortLock(dataSource, (client) => startNoting(client, partition, columns));
      await dataSource.query(`INSERT INTO ${partition.table}_new SELECT * FROM ${partition.table}`);
      return await withShortLock(dataSource, (client) => swap(client, partition, columns));
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1, hashtext($2))', lockedBy);
    }
  } catch (error) {
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return 'busy';
    throw error;
  } finally {
    await holder.release();
  }
}

const ATTEMPTS = 20;

/** Somebody reads or writes nearly always: one attempt would seldom succeed, and a longer wait would hold up everybody. */
async function withShortLock<Result>(dataSource: DataSource, work: (client: ClientBase) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inDatabaseTransaction(dataSource, async ({ client }) => {
        await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
        return work(client);
      });
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, LOCK_TIMEOUT_MS * Math.random());
      });
    }
  }
}

interface PartitionedColumns {
  readonly key: string;
  readonly partitioned: string;
}

async function startNoting(
  client: ClientBase,
  { parent, table, startMs, endMs, storage }: PartitionToRewrite,
  { key, partitioned }: PartitionedColumns,
): Promise<void> {
  await client.query(`DROP TRIGGER IF EXISTS note_changed_key ON ${table}`);
  await client.query(`DROP TABLE IF EXISTS ${leftoversOf(table).join(', ')}`);
  await client.query(`CREATE TABLE ${table}_changed AS SELECT ${key} FROM ${table} WITH NO DATA`);
  // Waits for the writers that are under way: whatever is written after it is noted, whatever before is there to be copied.
  await client.query(`CREATE TRIGGER note_changed_key AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW
    EXECUTE FUNCTION note_changed_key('${table}_changed', '($1).${key.replaceAll(', ', ', ($1).')}')`);
  await client.query(
    `CREATE TABLE ${table}_new (LIKE ${parent} INCLUDING ALL)${storage === undefined ? '' : ` WITH (${storage})`}`,
  );
  // With it ATTACH need not look at every row while everybody waits.
  await client.query(
    `ALTER TABLE ${table}_new ADD CONSTRAINT within_bounds CHECK (${partitioned} >= ${startMs} AND ${partitioned} < ${endMs})`,
  );
}

async function swap(
  client: ClientBase,
  { parent, table, startMs, endMs }: PartitionToRewrite,
  { key }: PartitionedColumns,
): Promise<{ bytesBefore: number; bytesAfter: number }> {
  // The parent, as readers and writers do: whoever wrote into this partition has now committed, and nobody is in between.
  await client.query(`LOCK TABLE ${parent} IN ACCESS EXCLUSIVE MODE`);
  const isChanged = `(${key}) IN (SELECT ${key} FROM ${table}_changed)`;
  await client.query(`DELETE FROM ${table}_new WHERE ${isChanged}`);
  await client.query(`INSERT INTO ${table}_new SELECT * FROM ${table} WHERE ${isChanged}`);
  const { before, after, hasRows } = (
    await client.query(
      `SELECT pg_total_relation_size('${table}') AS before, pg_total_relation_size('${table}_new') AS after, EXISTS (SELECT FROM ${table}_new) AS "hasRows"`,
    )
  ).rows[0] as { before: number; after: number; hasRows: boolean };
  await client.query(`DROP TABLE ${table}, ${table}_changed`);
  if (!hasRows) {
    await client.query(`DROP TABLE ${table}_new`);
    return { bytesBefore: before, bytesAfter: 0 };
  }
  await client.query(`ALTER TABLE ${table}_new RENAME TO ${table}`);
  await client.query(`ALTER TABLE ${parent} ATTACH PARTITION ${table} FOR VALUES FROM (${startMs}) TO (${endMs})`);
  await client.query(`ALTER TABLE ${table} DROP CONSTRAINT within_bounds`);
  return { bytesBefore: before, bytesAfter: after };
}

/** Columns of the primary key, in their order, and the one that the table is partitioned by. */
async function columnsOf(dataSource: DataSource, parent: string): Promise<PartitionedColumns> {
  const keys = (await dataSource.query(
    `SELECT attname AS name, attnum = partattrs[0] AS "isPartitioned" FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
     JOIN pg_partitioned_table ON partrelid = indrelid WHERE indrelid = $1::regclass AND indisprimary ORDER BY array_position(indkey::smallint[], attnum)`,
    [parent],
  )) as { name: string; isPartitioned: boolean }[];
  return { key: keys.map(({ name }) => name).join(', '), partitioned: keys.find(({ isPartitioned }) => isPartitioned)!.name };
}

async function isThere(dataSource: DataSource, table: string): Promise<boolean> {
  const rows = (await dataSource.query('SELECT to_regclass($1) IS NOT NULL AS here', [table])) as { here: boolean }[];
  return rows[0]!.here;
}
