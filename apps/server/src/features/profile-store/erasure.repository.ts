import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { LEVELS, type Level, type UpperLevel } from './level.js';
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
  ) {}

  /** Length of the longest window that an end of a range at `atMs` would cut, and that cannot be cut any more; a minute, if none. */
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
  async tablesOf({ totalsTable, detailTable }: Level, key: WindowKey): Promise<string[]> {
    const of = (table: string) => `SELECT tableoid::regclass::text AS "table" FROM ${table} WHERE ${IS_KEY}`;
    const rows = (await this.dataSource.query(`${of(totalsTable)} UNION ${of(detailTable)}`, keyParameters(key))) as {
      table: string;
    }[];
    return rows.map(({ table }) => table);
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
