import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { unlessLocked } from './advisory-lock.js';
import { inDatabaseTransaction } from './database-transaction.js';

/** Of advisory locks, one for each partition: one rewriter at a time. */
const REWRITE_LOCK = 404_003;
/** Everybody who uses the table waits behind us for so long at most; the swap is tried again. */
const LOCK_TIMEOUT_MS = 300;
const LOCK_NOT_AVAILABLE = '55P03';

/** Rows that changed during the copy, copied again at once beside the writers; and how few may be left for the swap, for which everybody waits. */
const ROWS_OF_A_ROUND = 20_000;
const ROWS_OF_A_SWAP = 1_000;
/** More would mean that it changes faster than it can be copied. */
const MAX_ROUNDS = 500;

/** What the catalog says of a partition. */
interface Partition {
  readonly table: string;
  readonly parent: string;
  /** `FOR VALUES FROM (...) TO (...)`. */
  readonly bounds: string;
  /** The same as a condition. */
  readonly isWithin: string;
  /** Storage parameters, in parentheses after WITH; '' if none. */
  readonly storage: string;
  /** Columns of the primary key, in their order. */
  readonly keys: readonly string[];
}

/** What a rewrite leaves beside a partition if it is killed. The next one, or the drop of the partition, takes it away. */
export const leftoversOf = (table: string) => [`${table}_new`, `${table}_changed`];

/**
 * Writes a partition anew and puts it in the place of the old one, so that deleted rows give their disk back. Readers and
 * writers go on meanwhile: a trigger notes the keys of rows that change, and they are copied again: most beside the writers, the last few under the lock of the swap.
 * Killed anywhere, the old partition is still there and whole. An empty one is not written again, only dropped.
 *
 * @param isKept - A condition over a row: others are not copied, which deletes them all at once.
 * @returns `busy`: somebody else rewrites it, or it was in use each time a lock was asked for; try again later. `gone`: there is no such partition. Otherwise the size before and after.
 */
export async function rewritePartition(
  dataSource: DataSource,
  table: string,
  isKept = 'true',
): Promise<'busy' | 'gone' | { readonly bytesBefore: number; readonly bytesAfter: number }> {
  const rewrite = async () => {
    const partition = await findPartition(dataSource, table);
    if (partition === undefined) return 'gone';
    await withShortLock(dataSource, (client) => startNoting(client, partition));
    await dataSource.query(`INSERT INTO ${table}_new SELECT * FROM ${table} WHERE ${isKept}`);
    if (!(await catchUp(dataSource, partition, isKept))) return 'busy';
    return withShortLock(dataSource, (client) => swap(client, partition, isKept));
  };
  try {
    const rewritten = await unlessLocked(dataSource, { kind: REWRITE_LOCK, of: table }, rewrite);
    return rewritten === 'taken' ? 'busy' : rewritten;
  } catch (error) {
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return 'busy';
    throw error;
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

async function startNoting(client: ClientBase, { table, parent, isWithin, storage, keys }: Partition): Promise<void> {
  await client.query(`DROP TRIGGER IF EXISTS note_changed_key ON ${table}`);
  await client.query(`DROP TABLE IF EXISTS ${leftoversOf(table).join(', ')}`);
  await client.query(`CREATE TABLE ${table}_changed AS SELECT ${keys.join(', ')} FROM ${table} WITH NO DATA`);
  // Waits for the writers that are under way: whatever is written after it is noted, whatever before is there to be copied.
  await client.query(`CREATE TRIGGER note_changed_key AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW
    EXECUTE FUNCTION note_changed_key('${table}_changed', '${keys.map((key) => `($1).${key}`).join(', ')}')`);
  await client.query(`CREATE TABLE ${table}_new (LIKE ${parent} INCLUDING ALL)${storage}`);
  // With it ATTACH need not look at every row while everybody waits.
  await client.query(`ALTER TABLE ${table}_new ADD CONSTRAINT within_bounds CHECK (${isWithin})`);
}

/**
 * Copies again what changed while everything was copied, in rounds beside the writers, until so little is left that nobody waits long for the swap.
 *
 * @returns `false`: more changes than can be copied.
 */
async function catchUp(dataSource: DataSource, partition: Partition, isKept: string): Promise<boolean> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const copied = await inDatabaseTransaction(dataSource, async ({ client }) =>
      copyChanged(client, partition, isKept, ROWS_OF_A_ROUND),
    );
    if (copied <= ROWS_OF_A_SWAP) return true;
  }
  return false;
}

/**
 * Copies at most `maxRows` rows again whose keys were noted. The keys go first: whoever notes one later has changed its row later, and what is
 * read after that is at least as new as every key that went.
 *
 * @returns How many keys there were.
 */
async function copyChanged(client: ClientBase, { table, keys }: Partition, isKept: string, maxRows?: number): Promise<number> {
  const list = keys.join(', ');
  const limit = maxRows === undefined ? '' : ` LIMIT ${maxRows}`;
  await client.query(`CREATE TEMP TABLE changed_again ON COMMIT DROP AS SELECT DISTINCT ${list} FROM ${table}_changed${limit}`);
  await client.query('ANALYZE changed_again');
  const isChanged = `(${list}) IN (SELECT ${list} FROM changed_again)`;
  await client.query(`DELETE FROM ${table}_changed WHERE ${isChanged}`);
  await client.query(`DELETE FROM ${table}_new WHERE ${isChanged}`);
  await client.query(`INSERT INTO ${table}_new SELECT * FROM ${table} WHERE ${isChanged} AND (${isKept})`);
  const counted = await client.query<{ n: number }>('SELECT count(*) AS n FROM changed_again');
  return counted.rows[0]!.n;
}

async function swap(
  client: ClientBase,
  partition: Partition,
  isKept: string,
): Promise<{ bytesBefore: number; bytesAfter: number }> {
  const { table, parent, bounds } = partition;
  // The parent, as readers and writers do: whoever wrote into this partition has now committed, and nobody is in between.
  await client.query(`LOCK TABLE ${parent} IN ACCESS EXCLUSIVE MODE`);
  await copyChanged(client, partition, isKept);
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
  await client.query(`ALTER TABLE ${parent} ATTACH PARTITION ${table} ${bounds}`);
  await client.query(`ALTER TABLE ${table} DROP CONSTRAINT within_bounds`);
  return { bytesBefore: before, bytesAfter: after };
}

async function findPartition(dataSource: DataSource, table: string): Promise<Partition | undefined> {
  const found = (await dataSource.query(
    `SELECT parent.relname AS parent, pg_get_expr(part.relpartbound, part.oid) AS bounds, pg_get_partition_constraintdef(part.oid) AS "isWithin",
       coalesce(' WITH (' || array_to_string(part.reloptions, ', ') || ')', '') AS storage,
       (SELECT array_agg(attname::text ORDER BY array_position(indkey::smallint[], attnum)) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indrelid = part.oid AND indisprimary) AS keys
     FROM pg_class AS part JOIN pg_inherits ON inhrelid = part.oid JOIN pg_class AS parent ON parent.oid = inhparent WHERE part.oid = to_regclass($1)`,
    [table],
  )) as Omit<Partition, 'table'>[];
  return found[0] && { table, ...found[0] };
}
