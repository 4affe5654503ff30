import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { Erased } from './erasure.repository.js';
import { LEVELS, PINNED_TABLE } from './level.js';
import { EMPTY_DETAIL } from './segment-codec.js';
import { DAY_MS, IS_KEY, KEY_AS_FIELDS, KEY_COLUMNS, keyParameters, type WindowKey } from './window.js';

/** A day of a pinned revision. */
export interface KeptDay {
  /** Raw profiles behind it. */
  readonly sequence: number;
  /** Per process and age, as of any day; its stacks are those of the revision's own dictionary. */
  readonly detail: Buffer;
}
/** Days of one query. */
const PAGE = 500;
type RevisionKey = Pick<WindowKey, 'serviceId' | 'revisionId'>;

/** Owns pinned_totals: what is kept of pinned revisions when their days are past. */
@Injectable()
export class PinnedTotals {
  readonly partitions: TimePartitions;

  constructor(private readonly dataSource: DataSource) {
    this.partitions = new TimePartitions(dataSource, PINNED_TABLE, { widthMs: LEVELS.hour.partitionMs });
  }

  /** Locks it: whoever adds to a day holds the lock of its window too, whoever takes away only this one. */
  async find(client: ClientBase, key: WindowKey): Promise<KeptDay | undefined> {
    const found = await client.query(
      `SELECT sequence, detail FROM ${PINNED_TABLE} WHERE ${IS_KEY} FOR UPDATE`,
      keyParameters(key),
    );
    return (found.rows as KeptDay[])[0];
  }

  async put(client: ClientBase, key: WindowKey, { sequence, detail }: KeptDay): Promise<void> {
    await client.query(
      `INSERT INTO ${PINNED_TABLE} (${KEY_COLUMNS}, sequence, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (${KEY_COLUMNS}) DO UPDATE SET sequence = excluded.sequence, detail = excluded.detail`,
      [...keyParameters(key), sequence, detail],
    );
  }

  /** Whether a day of a service is kept of any revision, be it empty. */
  async hasDay(serviceId: number, dayStartMs: EpochMs): Promise<boolean> {
    const found = (await this.dataSource.query(
      `SELECT FROM ${PINNED_TABLE} WHERE service_id = $1 AND window_start_ms = $2 LIMIT 1`,
      [serviceId, dayStartMs],
    )) as unknown[];
    return found.length === 1;
  }

  /** Days of all pinned revisions of a service, a few at a time. */
  async *days(serviceId: number): AsyncGenerator<WindowKey> {
    let after: readonly number[] = [serviceId, -1, -1, -1, -1];
    for (;;) {
      const rows = (await this.dataSource.query(
        `SELECT ${KEY_AS_FIELDS} FROM ${PINNED_TABLE} WHERE service_id = $1 AND (${KEY_COLUMNS}) > ($1, $2, $3, $4, $5) ORDER BY ${KEY_COLUMNS} LIMIT ${PAGE}`,
        [...after],
      )) as WindowKey[];
      yield* rows;
      if (rows.length < PAGE) return;
      after = keyParameters(rows.at(-1)!);
    }
  }

  /** The partition that holds a day. */
  async tableOf(client: ClientBase, key: WindowKey): Promise<string[]> {
    const found = await client.query(
      `SELECT tableoid::regclass::text AS "table" FROM ${PINNED_TABLE} WHERE ${IS_KEY}`,
      keyParameters(key),
    );
    return (found.rows as { table: string }[]).map(({ table }) => table);
  }

  async hasAny(client: ClientBase, { serviceId, revisionId }: RevisionKey): Promise<boolean> {
    const found = await client.query(`SELECT FROM ${PINNED_TABLE} WHERE service_id = $1 AND revision_id = $2 LIMIT 1`, [
      serviceId,
      revisionId,
    ]);
    return found.rowCount === 1;
  }

  /**
   * Takes away what happened on the days that lie within a range. Each of them counts one more profile, so that nobody takes it for what it was; none
   * is touched twice.
   */
  async eraseDays(client: ClientBase, serviceId: number, { fromMs, untilMs }: TimeRange): Promise<Erased> {
    const found = await client.query(
      `WITH day AS (
         SELECT ${KEY_COLUMNS} FROM ${PINNED_TABLE}
         WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms <= $3 AND detail <> $4 ORDER BY ${KEY_COLUMNS} FOR UPDATE
       ), emptied AS (
         UPDATE ${PINNED_TABLE} SET sequence = sequence + 1, detail = $4 WHERE (${KEY_COLUMNS}) IN (SELECT * FROM day) RETURNING tableoid
       ) SELECT tableoid::regclass::text AS "table", count(*) AS rows FROM emptied GROUP BY tableoid`,
      [serviceId, fromMs, untilMs - DAY_MS, EMPTY_DETAIL],
    );
    const byTable = found.rows as { table: string; rows: number }[];
    return { rows: byTable.reduce((sum, { rows }) => sum + rows, 0), tables: byTable.map(({ table }) => table) };
  }

  async remove(client: ClientBase, { serviceId, revisionId }: RevisionKey): Promise<void> {
    await client.query(`DELETE FROM ${PINNED_TABLE} WHERE service_id = $1 AND revision_id = $2`, [serviceId, revisionId]);
  }
}
