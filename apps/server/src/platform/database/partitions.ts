import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { inDatabaseTransaction } from './database-transaction.js';

const HOUR_MS = 3_600_000;
/** Any number that nobody else locks in this database. */
const PARTITION_LOCK = 4_040_000_002;
/** A drop stops everybody who uses the table while it waits, so it does not wait long: the next attempt comes soon. */
const DROP_LOCK_TIMEOUT_MS = 300;
const LOCK_NOT_AVAILABLE = '55P03';
/** What Postgres answers when a row has no partition. */
const CHECK_VIOLATION = '23514';

export interface HourPartition {
  readonly table: string;
  readonly hourMs: EpochMs;
}

/** The hour that holds `at`. */
export function hourOf(at: EpochMs): EpochMs {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}

/** Whether a statement failed because the partition of its rows is not there (any more). */
export function isMissingPartition(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === CHECK_VIOLATION && /no partition of relation/.test(message ?? '');
}

/**
 * Partitions of `parent`, a table partitioned by range of a bigint column that holds whole hours (ms). Named
 * `<parent>_h<hours since 1970>`.
 */
export class HourPartitions {
  readonly #dataSource: DataSource;
  readonly #parent: string;
  readonly #known = new Set<EpochMs>();

  constructor(dataSource: DataSource, parent: string) {
    this.#dataSource = dataSource;
    this.#parent = parent;
  }

  /** Creates what is missing of `hours`. Free when this process knows them; safe beside any number of other servers. */
  async ensure(hours: readonly EpochMs[]): Promise<void> {
    const unknown = hours.filter((hour) => !this.#known.has(hour));
    if (unknown.length === 0) return;
    await inDatabaseTransaction(this.#dataSource, async ({ client }) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
      for (const hour of unknown) await this.#create(client, hour);
    });
    for (const hour of unknown) this.#known.add(hour);
    for (const hour of this.#known) if (hour < Math.min(...hours) - HOUR_MS) this.#known.delete(hour);
  }

  /** After a statement found its partition missing: ask the database again. */
  forget(): void {
    this.#known.clear();
  }

  /** All there are, oldest first. */
  async list(): Promise<HourPartition[]> {
    const rows = (await this.#dataSource.query(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass`,
      [this.#parent],
    )) as { name: string }[];
    return rows
      .map(({ name }) => ({ table: name, hourMs: Number(name.split('_h').at(-1)) * HOUR_MS }))
      .sort((a, b) => a.hourMs - b.hourMs);
  }

  /**
   * Drops one partition if `mayDrop` still agrees once nobody else can touch the table.
   *
   * @returns `busy`: it is read or written just now, or somebody else dropped it; try again later.
   */
  async drop(partition: HourPartition, mayDrop: (client: ClientBase) => Promise<boolean>): Promise<'dropped' | 'kept' | 'busy'> {
    try {
      return await inDatabaseTransaction(this.#dataSource, async ({ client }) => {
        await client.query(`SET LOCAL lock_timeout = ${DROP_LOCK_TIMEOUT_MS}`);
        // The parent first, as readers and writers do: whoever wrote into this partition has now committed.
        await client.query(`LOCK TABLE ${this.#parent} IN ACCESS EXCLUSIVE MODE`);
        const exists = await client.query('SELECT to_regclass($1) IS NOT NULL AS here', [partition.table]);
        if (!(exists.rows as { here: boolean }[])[0]!.here) return 'busy';
        if (!(await mayDrop(client))) return 'kept';
        await client.query(`DROP TABLE ${partition.table}`);
        return 'dropped';
      });
    } catch (error) {
      if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return 'busy';
      throw error;
    } finally {
      this.#known.delete(partition.hourMs);
    }
  }

  async #create(client: ClientBase, hour: EpochMs): Promise<void> {
    const table = `${this.#parent}_h${hour / HOUR_MS}`;
    const exists = await client.query('SELECT to_regclass($1) IS NOT NULL AS here', [table]);
    if ((exists.rows as { here: boolean }[])[0]!.here) return;
    // CREATE ... PARTITION OF would lock the parent against everybody; ATTACH lets readers and writers go on.
    await client.query(`CREATE TABLE ${table} (LIKE ${this.#parent} INCLUDING ALL)`);
    await client.query(`ALTER TABLE ${this.#parent} ATTACH PARTITION ${table} FOR VALUES FROM (${hour}) TO (${hour + HOUR_MS})`);
  }
}
