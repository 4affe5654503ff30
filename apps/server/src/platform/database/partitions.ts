import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { inDatabaseTransaction } from './database-transaction.js';
import { removeRows, type NoteRemoved, type RowCondition } from './remove-rows.js';
import { leftoversOf, rewritePartition } from './rewrite-partition.js';
import { countServiceRows, isOfNone, orGone, removeServiceRows } from './service-rows.js';

const HOUR_MS: DurationMs = 3_600_000;
/** Any number that nobody else locks in this database. */
const PARTITION_LOCK = 4_040_000_002;
/** Below this part of a partition the disk of removed rows is not worth writing the others again: it comes back when the partition goes. */
const WORTH_A_REWRITE = 0.1;
/** Head and index entries of a row, about. */
const ROW_BYTES = 100;
/** A partition that takes so much more than its rows, and as many bytes more besides, is mostly what deleted rows left. */
const SPARSE_FACTOR = 2;
const SPARSE_BYTES = 1024 * 1024;
/** Of one question, to estimate who has how much of a partition: 160 MB at most are read, and usually far less. */
export const SAMPLED_PAGES = 20_000;
/** A drop stops everybody who uses the table while it waits, so it does not wait long: the next attempt comes soon. */
const DROP_LOCK_TIMEOUT_MS = 300;
const LOCK_NOT_AVAILABLE = '55P03';
/** What Postgres answers when a row has no partition. */
const CHECK_VIOLATION = '23514';

const ALL_TIME: TimeRange = { fromMs: 0, untilMs: Infinity };

export interface TimePartition {
  readonly table: string;
  readonly startMs: EpochMs;
  /** Exclusive. */
  readonly endMs: EpochMs;
}

export interface PartitionShare {
  readonly rows: number;
  readonly bytes: number;
  readonly before: { readonly rows: number; readonly bytes: number };
  /** Of all services. */
  readonly allRows: number;
}

/** Of one call, while partitions come and go. */
const MAX_ATTEMPTS = 10;

/** Whether a statement failed because the partition of its rows is not there (any more). */
function isMissingPartition(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === CHECK_VIOLATION && /no partition of relation/.test(message ?? '');
}

/** A partition that seems to be of no use any more. */
export interface DroppablePartition {
  readonly partitions: TimePartitions;
  readonly partition: TimePartition;
  /** For `TimePartitions.drop`: asks again. */
  readonly mayDrop: (client: ClientBase) => Promise<boolean>;
}

/** Rows that are to be written: of one table, at these times. */
export interface RowTimes {
  readonly partitions: TimePartitions;
  readonly times: readonly EpochMs[];
}

/**
 * Runs `work` once the partitions of its rows are there, and again if one was missing all the same: the clock has moved on, or somebody has
 * just dropped it.
 *
 * @param rows - Asked before each try.
 */
export async function withPartitions<Result>(rows: () => readonly RowTimes[], work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    const needed = rows();
    for (const { partitions, times } of needed) await partitions.ensure(times);
    try {
      return await work();
    } catch (error) {
      if (!isMissingPartition(error) || attempt === MAX_ATTEMPTS) throw error;
      const { table } = error as { table?: string };
      for (const { partitions } of needed) if (table === undefined || partitions.parent === table) partitions.forget();
    }
  }
}

/** For a database transaction that deletes rows: `TimePartitions.returnRoom` knows of them when it has committed, and not some seconds later. */
export async function countDeletedAtOnce(client: ClientBase): Promise<void> {
  await client.query('SELECT pg_stat_force_next_flush()');
}

export interface TimePartitionOptions {
  /** Of every partition, aligned to the epoch; a whole number of hours. */
  readonly widthMs: DurationMs;
  /** Storage parameters of each: the parent cannot hand them down. */
  readonly storage?: string;
}

/**
 * Partitions of `parent`, a table partitioned by range of one bigint column of milliseconds, all of one width. Named
 * `<parent>_h<hours from 1970 to its start>`.
 */
export class TimePartitions {
  readonly widthMs: DurationMs;
  readonly #dataSource: DataSource;
  readonly parent: string;
  readonly #storage: string | undefined;
  readonly #known = new Set<EpochMs>();
  /** By the id of a partition's table: how many of its rows had been deleted when they were last read for their room. */
  readonly #deletedWhenRead = new Map<number, number>();

  constructor(dataSource: DataSource, parent: string, { widthMs, storage }: TimePartitionOptions) {
    this.#dataSource = dataSource;
    this.parent = parent;
    this.widthMs = widthMs;
    this.#storage = storage;
  }

  /** Creates what is missing of the partitions that hold `times`. Free when this process knows them; safe beside any number of other servers. */
  async ensure(times: Iterable<EpochMs>): Promise<void> {
    const unknown = new Set<EpochMs>();
    for (const time of times) {
      const start = this.#startOf(time);
      if (!this.#known.has(start)) unknown.add(start);
    }
    if (unknown.size === 0) return;
    await inDatabaseTransaction(this.#dataSource, async ({ client }) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
      for (const start of unknown) await this.#create(client, start);
    });
    for (const start of unknown) this.#known.add(start);
  }

  /** After a statement found its partition missing: ask the database again. */
  forget(): void {
    this.#known.clear();
  }

  /** All there are, oldest first. */
  async list(): Promise<TimePartition[]> {
    const rows = (await this.#dataSource.query(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass`,
      [this.parent],
    )) as { name: string }[];
    return rows.map(({ name }) => partitionOf(name, this.widthMs)).sort((a, b) => a.startMs - b.startMs);
  }

  /**
   * Drops one partition if `mayDrop` still agrees once nobody else can touch the table.
   *
   * @returns `busy`: it is read or written just now, or somebody else dropped it; try again later.
   */
  async drop(partition: TimePartition, mayDrop: (client: ClientBase) => Promise<boolean>): Promise<'dropped' | 'kept' | 'busy'> {
    try {
      return await inDatabaseTransaction(this.#dataSource, async ({ client }) => {
        await client.query(`SET LOCAL lock_timeout = ${DROP_LOCK_TIMEOUT_MS}`);
        // The parent first, as readers and writers do: whoever wrote into this partition has now committed.
        await client.query(`LOCK TABLE ${this.parent} IN ACCESS EXCLUSIVE MODE`);
        if (!(await isHere(client, partition.table))) return 'busy';
        if (!(await mayDrop(client))) return 'kept';
        await client.query(`DROP TABLE ${partition.table}`);
        await client.query(`DROP TABLE IF EXISTS ${leftoversOf(partition.table).join(', ')}`);
        return 'dropped';
      });
    } catch (error) {
      if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return 'busy';
      throw error;
    } finally {
      this.#known.delete(partition.startMs);
    }
  }

  /** How much of a partition these services have, of all times and of before `beforeMs`; of a large one estimated from about `sampledPages` of its pages. */
  async shareOf(
    { table }: TimePartition,
    serviceIds: readonly number[],
    beforeMs: EpochMs = 0,
    sampledPages = SAMPLED_PAGES,
  ): Promise<PartitionShare> {
    const column = await this.#timeColumn();
    const sample = this.#dataSource.query(
      `WITH size AS (SELECT greatest(1, pg_relation_size('${table}') / current_setting('block_size')::int) AS pages, pg_total_relation_size('${table}') AS bytes)
       SELECT pages, bytes, mine, early, everybody FROM size, LATERAL (
         SELECT count(*) FILTER (WHERE service_id = ANY ($1)) AS mine, count(*) FILTER (WHERE service_id = ANY ($1) AND ${column} < $2) AS early, count(*) AS everybody
         FROM ${table} TABLESAMPLE SYSTEM (least(100, 100.0 * ${sampledPages} / pages))) AS sampled`,
      [serviceIds, beforeMs],
    ) as Promise<{ pages: number; bytes: number; mine: number; early: number; everybody: number }[]>;
    const [found] = await orGone(sample, [{ pages: 1, bytes: 0, mine: 0, early: 0, everybody: 0 }]);
    const { pages, bytes, mine, early, everybody } = found!;
    const perSampledRow = Math.max(1, pages / sampledPages);
    const amountOf = (sampled: number) => ({
      rows: Math.round(sampled * perSampledRow),
      bytes: everybody === 0 ? 0 : Math.round((bytes * sampled) / everybody),
    });
    return { ...amountOf(mine), before: amountOf(early), allRows: Math.round(everybody * perSampledRow) };
  }

  async #timeColumn(): Promise<string> {
    const rows = (await this.#dataSource.query(
      `SELECT attname AS name FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0] WHERE partrelid = $1::regclass`,
      [this.parent],
    )) as { name: string }[];
    return rows[0]!.name;
  }

  /**
   * Removes the rows of these services. Where they are a good part of the partition it is written again without them, because in a
   * partition of the past nothing would take the place of deleted rows.
   *
   * @param isKept A condition over a row: those stay.
   */
  async removeServices(partition: TimePartition, serviceIds: readonly number[], isKept = 'false'): Promise<void> {
    const rows = await countServiceRows(this.#dataSource, partition.table, serviceIds, isKept);
    if (rows === 0) return;
    const { allRows } = await this.shareOf(partition, serviceIds);
    if (rows < WORTH_A_REWRITE * allRows) await removeServiceRows(this.#dataSource, partition.table, serviceIds, isKept);
    else await this.rewrite(partition, `${isOfNone(serviceIds)} OR ${isKept}`);
  }

  /**
   * Writes partitions again that are mostly what deleted rows left, and drops empty ones. To tell them it reads every row, but not its large values;
   * a partition is read when this process first sees it, and then only if rows of it were deleted since. So it may be asked as often as one likes.
   */
  async returnRoom(): Promise<void> {
    const looks = (await this.#dataSource.query(
      `SELECT oid, relname AS "table", pg_stat_get_tuples_deleted(oid) AS deleted FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = $1::regclass`,
      [this.parent],
    )) as { oid: number; table: string; deleted: number }[];
    for (const { oid, table, deleted } of looks) {
      if (this.#deletedWhenRead.get(oid) === deleted) continue;
      if (await this.#returnRoomOf(table)) this.#deletedWhenRead.set(oid, deleted);
    }
    // One that was written again is another table.
    for (const oid of this.#deletedWhenRead.keys())
      if (!looks.some((look) => look.oid === oid)) this.#deletedWhenRead.delete(oid);
  }

  /** @returns Whether its deleted rows need not be looked at again. */
  async #returnRoomOf(table: string): Promise<boolean> {
    const columns = (await this.#dataSource.query(
      `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
      [this.parent],
    )) as { name: string }[];
    const size = columns.map(({ name }) => `pg_column_size(${name})`).join(' + ');
    const sizes = this.#dataSource.query(
      `SELECT pg_total_relation_size('${table}') AS bytes, (SELECT coalesce(sum(${size} + ${ROW_BYTES}), 0) FROM ${table})::bigint AS used`,
    ) as Promise<{ bytes: number; used: number }[]>;
    const [{ bytes, used }] = (await orGone(sizes, [{ bytes: 0, used: 1 }])) as [{ bytes: number; used: number }];
    if (used > 0 && bytes <= SPARSE_FACTOR * used + SPARSE_BYTES) return true;
    return (await this.rewrite(partitionOf(table, this.widthMs))) !== 'busy';
  }

  /** Deletes rows that begin within `range`, or all of them that `condition` names; see `removeRows`. Their disk does not come back by it. */
  async removeRows(condition: RowCondition, note: NoteRemoved, range: TimeRange = ALL_TIME): Promise<void> {
    for (const { table, startMs, endMs } of await this.list())
      if (startMs < range.untilMs && endMs > range.fromMs) await removeRows(this.#dataSource, table, condition, note);
  }

  /** Gives the disk of deleted rows back, see `rewritePartition`. */
  async rewrite({ table, startMs }: TimePartition, isKept?: string): ReturnType<typeof rewritePartition> {
    try {
      return await rewritePartition(this.#dataSource, table, isKept);
    } finally {
      this.#known.delete(startMs); // it may have been empty, and is gone then
    }
  }

  /** Those that ended before `beforeMs` and of which `isUseless` is a true SQL condition, over the parents: another server may drop the partition meanwhile. */
  async droppable(beforeMs: EpochMs, isUseless: (startMs: EpochMs, endMs: EpochMs) => string): Promise<DroppablePartition[]> {
    const found: DroppablePartition[] = [];
    for (const partition of await this.list()) {
      if (partition.endMs > beforeMs) continue;
      const question = `SELECT WHERE ${isUseless(partition.startMs, partition.endMs)}`;
      const mayDrop = async (client: ClientBase) => (await client.query(question)).rowCount === 1;
      // Looked at without a lock: usually that is the end of it.
      if (((await this.#dataSource.query(question)) as unknown[]).length === 1)
        found.push({ partitions: this, partition, mayDrop });
    }
    return found;
  }

  #startOf(at: EpochMs): EpochMs {
    return Math.floor(at / this.widthMs) * this.widthMs;
  }

  async #create(client: ClientBase, start: EpochMs): Promise<void> {
    const table = `${this.parent}_h${start / HOUR_MS}`;
    if (await isHere(client, table)) return;
    // CREATE ... PARTITION OF would lock the parent against everybody; ATTACH lets readers and writers go on.
    await client.query(
      `CREATE TABLE ${table} (LIKE ${this.parent} INCLUDING ALL)${this.#storage === undefined ? '' : ` WITH (${this.#storage})`}`,
    );
    await client.query(
      `ALTER TABLE ${this.parent} ATTACH PARTITION ${table} FOR VALUES FROM (${start}) TO (${start + this.widthMs})`,
    );
  }
}

/** Its name tells. */
function partitionOf(table: string, widthMs: DurationMs): TimePartition {
  const startMs = Number(table.split('_h').at(-1)) * HOUR_MS;
  return { table, startMs, endMs: startMs + widthMs };
}

/** From the table of tables itself: `to_regclass` may still remember that there was none, from before another server made it. */
async function isHere(client: ClientBase, table: string): Promise<boolean> {
  const found = await client.query('SELECT FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace', [
    table,
  ]);
  return found.rowCount === 1;
}
