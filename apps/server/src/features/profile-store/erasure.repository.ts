import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { orGone } from '../../platform/database/service-rows.js';
import { BlockRepository } from './block.repository.js';
import { LEVELS, type Level, type UpperLevel } from './level.js';
import type { Labelled } from './remove-labelled.js';
import { decodeTotals } from './segment-codec.js';
import { StoreError } from './store-error.js';
import { HOUR_MS, IS_KEY, KEY_COLUMNS, keyParameters, WINDOW_MS, windowStart, type WindowKey } from './window.js';
import { WindowRepository } from './window.repository.js';

/** What one step took away. */
export interface Erased {
  readonly rows: number;
  /** Partitions that held it. */
  readonly tables: readonly string[];
}

export interface UpperWindowToErase extends WindowKey {
  readonly isSealed: boolean;
}

/** Windows that are looked at together. */
const PAGE = 100;
/** Label sets and their sums of most totals. */
const HEAD_BYTES = 8_192;
const UPPER = [LEVELS.hour, LEVELS.day] as const;
const IS_IN_RANGE = 'service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3';

/**
 * Takes stored profiles away, window by window. Beside its neighbours it owns no table.
 *
 * Nobody may take what is left for what was there: each window that loses something counts one more profile, arrived and built, and the window
 * above it one more that arrived, as if a late profile had been built. So versions only ever grow, a builder that began before gives up, and
 * an hour or day that is not sealed is made anew.
 */
@Injectable()
export class ErasureRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows: WindowRepository,
    private readonly blocks: BlockRepository,
  ) {}

  /** Length of the longest window that an end of a range at `atMs` would cut, and that cannot be cut any more; a minute, if none. Days of pins aside. */
  async uncutAt(serviceId: number, atMs: EpochMs): Promise<DurationMs> {
    const queries = UPPER.map(({ windowTable, windowMs }) => {
      const startMs = windowStart(atMs, windowMs);
      return `SELECT ${windowMs} AS "windowMs" FROM ${windowTable} WHERE service_id = $1 AND is_sealed AND window_start_ms = ${startMs} AND window_start_ms <> ${atMs}`;
    });
    const rows = (await this.dataSource.query(
      `SELECT max("windowMs") AS "windowMs" FROM (${queries.join(' UNION ALL ')}) AS cut`,
      [serviceId],
    )) as { windowMs: DurationMs | null }[];
    return rows[0]!.windowMs ?? WINDOW_MS;
  }

  /** Hours in which the service has minutes of the range: windows, or segments that outlasted theirs. */
  async hoursOfMinutes(serviceId: number, { fromMs, untilMs }: TimeRange): Promise<EpochMs[]> {
    const { windowTable, totalsTable } = LEVELS.minute;
    const of = (table: string) =>
      `SELECT window_start_ms - window_start_ms % ${HOUR_MS} AS hour FROM ${table} WHERE ${IS_IN_RANGE}`;
    const rows = (await this.dataSource.query(`${of(windowTable)} UNION ${of(totalsTable)} ORDER BY hour`, [
      serviceId,
      fromMs,
      untilMs,
    ])) as { hour: EpochMs }[];
    return rows.map(({ hour }) => hour);
  }

  /**
   * Takes away the minutes of a range within one hour: segments, and the blocks behind them. In the caller's database transaction, which waits
   * for the senders of those minutes and keeps later ones waiting.
   *
   * @returns `isHourSealed`: an hour has taken some of these minutes in for good; what it holds is still there.
   */
  async eraseMinutes(
    client: ClientBase,
    serviceId: number,
    { fromMs, untilMs }: TimeRange,
  ): Promise<Erased & { readonly isHourSealed: boolean }> {
    const range = [serviceId, fromMs, untilMs];
    const { windowTable, totalsTable } = LEVELS.minute;
    await client.query(`SELECT FROM ${windowTable} WHERE ${IS_IN_RANGE} ORDER BY ${KEY_COLUMNS} FOR UPDATE`, range);
    // The hours before the segments, as everybody does who locks both.
    const hours = await client.query(
      `WITH minute AS (
         SELECT profile_type_id, revision_id, environment_id, sequence - built_sequence AS unbuilt FROM ${windowTable} WHERE ${IS_IN_RANGE}
         UNION ALL SELECT profile_type_id, revision_id, environment_id, 0 FROM ${totalsTable} WHERE ${IS_IN_RANGE})
       INSERT INTO ${LEVELS.hour.windowTable} AS w (${KEY_COLUMNS}, sequence)
       SELECT $1, profile_type_id, $4::bigint, revision_id, environment_id, sum(unbuilt)::bigint + 1 FROM minute
       GROUP BY profile_type_id, revision_id, environment_id ORDER BY profile_type_id, revision_id, environment_id
       ON CONFLICT (${KEY_COLUMNS}) DO UPDATE SET sequence = w.sequence + excluded.sequence
       RETURNING is_sealed AS "isSealed"`,
      [...range, windowStart(fromMs, HOUR_MS)],
    );
    await client.query(
      `UPDATE ${windowTable} SET sequence = sequence + 1, built_sequence = sequence + 1 WHERE ${IS_IN_RANGE}`,
      range,
    );
    const segments = await erased(client, totalsTable, IS_IN_RANGE, range);
    const blocks = await erased(client, 'block', IS_IN_RANGE, range);
    const isHourSealed = (hours.rows as { isSealed: boolean }[]).some(({ isSealed }) => isSealed);
    return { ...together([segments, blocks]), isHourSealed };
  }

  /** Windows of the service that touch a range, in the order of their keys. */
  async listUpper({ windowTable, windowMs }: UpperLevel, serviceId: number, range: TimeRange): Promise<UpperWindowToErase[]> {
    return (await this.dataSource.query(
      `SELECT service_id AS "serviceId", profile_type_id AS "profileTypeId", window_start_ms AS "windowStartMs", revision_id AS "revisionId",
         environment_id AS "environmentId", is_sealed AS "isSealed" FROM ${windowTable} WHERE ${IS_IN_RANGE} ORDER BY ${KEY_COLUMNS}`,
      [serviceId, windowStart(range.fromMs, windowMs), range.untilMs],
    )) as UpperWindowToErase[];
  }

  /** Partitions that hold merged profiles of one window. */
  async tablesOf(client: ClientBase, { totalsTable, detailTable }: Level, key: WindowKey): Promise<string[]> {
    const of = (table: string) => `SELECT tableoid::regclass::text AS "table" FROM ${table} WHERE ${IS_KEY}`;
    const found = await client.query(`${of(totalsTable)} UNION ${of(detailTable)}`, keyParameters(key));
    return (found.rows as { table: string }[]).map(({ table }) => table);
  }

  /**
   * Windows of the service that may hold something of what is to go: those with such label sets in their totals, or all if processes are to go, because
   * totals name none and a process is under any revision it ever sent (decision 0120); and first minutes with blocks that wait, because those are
   * segments next. Read a page at a time.
   */
  async *candidates(level: Level, serviceId: number, labelled: Labelled): AsyncGenerator<WindowKey> {
    const { windowTable, totalsTable } = level;
    if (level.name === 'minute') yield* this.#pages(windowTable, serviceId, '', 'sequence > built_sequence');
    const head = `substring(totals FROM 1 FOR ${HEAD_BYTES})`;
    for await (const { totals, ...key } of this.#pages<{ totals: Buffer }>(totalsTable, serviceId, `, ${head} AS totals`))
      if (labelled.processIds.size > 0 || mayHold(totals, labelled)) yield key;
  }

  async *#pages<Columns>(table: string, serviceId: number, columns: string, where = 'true'): AsyncGenerator<WindowKey & Columns> {
    let after: readonly number[] = [serviceId, -1, -1, -1, -1];
    for (;;) {
      const rows = (await this.dataSource.query(
        `SELECT service_id AS "serviceId", profile_type_id AS "profileTypeId", window_start_ms AS "windowStartMs", revision_id AS "revisionId",
           environment_id AS "environmentId"${columns} FROM ${table}
         WHERE service_id = $1 AND (${KEY_COLUMNS}) > ($1, $2, $3, $4, $5) AND (${where}) ORDER BY ${KEY_COLUMNS} LIMIT ${PAGE}`,
        [...after],
      )) as (WindowKey & Columns)[];
      yield* rows;
      if (rows.length < PAGE) return;
      after = keyParameters(rows.at(-1)!);
    }
  }

  /**
   * Of a minute whose blocks up to `builtSequence` are in its segment now, in the caller's database transaction, which holds the window: takes those
   * away, and counts the change. Blocks that came after them (up to `sequence`) take later numbers, so that they still wait.
   *
   * @returns `raisedBy`: what its hour is to be raised by for the change.
   */
  async replaceBlocks(
    client: ClientBase,
    key: WindowKey,
    builtSequence: number,
    sequence: number,
  ): Promise<{ readonly removed: Erased; readonly raisedBy: number }> {
    const parameters = [...keyParameters(key), builtSequence];
    const removed = await erased(client, 'block', `${IS_KEY} AND sequence <= $6`, parameters);
    // By more than there are, so that no new number is an old one.
    const raisedBy = sequence - builtSequence + 1;
    await client.query(`UPDATE block SET sequence = sequence + $7 WHERE ${IS_KEY} AND sequence > $6`, [...parameters, raisedBy]);
    await client.query(
      `UPDATE ${LEVELS.minute.windowTable} SET sequence = sequence + $7, built_sequence = $6::int + $7 WHERE ${IS_KEY}`,
      [...parameters, raisedBy],
    );
    return { removed, raisedBy };
  }

  /** Takes away the blocks of the service that are in segments already and only wait for their partition to go. */
  async removeBuiltBlocks(serviceId: number, note: NoteRemoved): Promise<void> {
    const isBuilt = `EXISTS (SELECT FROM ${LEVELS.minute.windowTable} w WHERE w.service_id = $1 AND w.profile_type_id = b.profile_type_id
      AND w.window_start_ms = b.window_start_ms AND w.revision_id = b.revision_id AND w.environment_id = b.environment_id AND b.sequence <= w.built_sequence)`;
    for (const { table } of await this.blocks.partitions.list()) {
      const removing = inDatabaseTransaction(this.dataSource, async ({ client }) => {
        await note(client, await erased(client, `${table} b`, `b.service_id = $1 AND ${isBuilt}`, [serviceId]));
      });
      await orGone(removing, undefined);
    }
  }

  /** Takes away everything that a sealed window holds, in the caller's database transaction. What came late and lies below it stays there. */
  async eraseSealed(client: ClientBase, level: UpperLevel, key: WindowKey): Promise<Erased> {
    const state = await this.windows.lock(client, key, level);
    if (state === undefined || !state.isSealed) return { rows: 0, tables: [] };
    await this.windows.countChange(client, level, key);
    const tables = [...new Set([level.totalsTable, level.detailTable])];
    const of: Erased[] = [];
    for (const table of tables) of.push(await erased(client, table, IS_KEY, keyParameters(key)));
    return together(of);
  }
}

/** Whether the first bytes of totals name such a label set; also if there are too few to tell. */
function mayHold(head: Uint8Array, { labelSetIds }: Labelled): boolean {
  try {
    return decodeTotals(head).sums.some(({ labelSetId }) => labelSetIds.has(labelSetId));
  } catch (error) {
    if (error instanceof StoreError) return true;
    throw error;
  }
}

/** Deletes rows of one table. */
async function erased(client: ClientBase, table: string, where: string, parameters: readonly number[]): Promise<Erased> {
  const found = await client.query(
    `WITH gone AS (DELETE FROM ${table} WHERE ${where} RETURNING tableoid) SELECT tableoid::regclass::text AS "table", count(*) AS rows FROM gone GROUP BY tableoid`,
    [...parameters],
  );
  const byTable = found.rows as { table: string; rows: number }[];
  return { rows: byTable.reduce((sum, { rows }) => sum + rows, 0), tables: byTable.map(({ table: one }) => one) };
}

function together(all: readonly Erased[]): Erased {
  return { rows: all.reduce((sum, { rows }) => sum + rows, 0), tables: all.flatMap(({ tables }) => tables) };
}
