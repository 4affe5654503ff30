import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { TimePartitions, type DroppablePartition } from '../../platform/database/partitions.js';
import type { BuiltSegment } from './build-segment.js';
import { LEVELS, type Level, type LevelName, type UpperLevel } from './level.js';
import { hasNone, IS_KEY, isWithin, KEY_COLUMNS, keyParameters, type WindowKey } from './window.js';

/** Totals per release go when their release does, so their partitions are narrower than those of the days beside them. */
const RELEASE_PARTITION_MS = LEVELS.hour.partitionMs;

export interface FoundSegment {
  readonly totals: Buffer;
  /** `null`: of a day whose release is forgotten. */
  readonly detail: Buffer | null;
}

/** Of a minute or an hour: both columns lie in one table. */
export interface SegmentBelow {
  readonly windowStartMs: EpochMs;
  readonly totals: Buffer;
  readonly detail: Buffer;
}

/** Owns segment, hour_segment, day_totals and release_totals: the merged profiles of built windows. */
@Injectable()
export class SegmentRepository {
  readonly partitions: Readonly<Record<LevelName, readonly TimePartitions[]>>;

  constructor(dataSource: DataSource) {
    const of = ({ totalsTable, partitionMs }: Level) => new TimePartitions(dataSource, totalsTable, { widthMs: partitionMs });
    this.partitions = {
      minute: [of(LEVELS.minute)],
      hour: [of(LEVELS.hour)],
      day: [of(LEVELS.day), new TimePartitions(dataSource, LEVELS.day.detailTable, { widthMs: RELEASE_PARTITION_MS })],
    };
  }

  /** Empty partitions that ended before `beforeMs`: everything in them was merged upwards or deleted. */
  async droppable(beforeMs: EpochMs): Promise<DroppablePartition[]> {
    const found: DroppablePartition[] = [];
    for (const partitions of Object.values(this.partitions).flat())
      found.push(...(await partitions.droppable(beforeMs, (...range) => hasNone(partitions.parent, ...range))));
    return found;
  }

  /** All other methods work in the caller's database transaction, which holds the window's lock. `undefined`: there is none. */
  async find(client: ClientBase, level: Level, key: WindowKey): Promise<FoundSegment | undefined> {
    const { totalsTable, detailTable } = level;
    const from = totalsTable === detailTable ? totalsTable : `${totalsTable} LEFT JOIN ${detailTable} USING (${KEY_COLUMNS})`;
    const found = await client.query(`SELECT totals, detail FROM ${from} WHERE ${IS_KEY}`, keyParameters(key));
    return (found.rows as FoundSegment[])[0];
  }

  async has(client: ClientBase, { totalsTable }: Level, key: WindowKey): Promise<boolean> {
    return (await client.query(`SELECT FROM ${totalsTable} WHERE ${IS_KEY}`, keyParameters(key))).rowCount === 1;
  }

  /** Of the level below `level` within the window of `key`, by time. */
  async below(client: ClientBase, level: UpperLevel, key: WindowKey): Promise<SegmentBelow[]> {
    const found = await client.query(
      `SELECT window_start_ms AS "windowStartMs", totals, detail FROM ${level.below.totalsTable} WHERE ${isWithin(level)} ORDER BY window_start_ms`,
      keyParameters(key),
    );
    return found.rows as SegmentBelow[];
  }

  /** Totals and detail of one window. */
  async delete(client: ClientBase, { totalsTable, detailTable }: Level, key: WindowKey): Promise<void> {
    for (const table of new Set([totalsTable, detailTable]))
      await client.query(`DELETE FROM ${table} WHERE ${IS_KEY}`, keyParameters(key));
  }

  async deleteBelow(client: ClientBase, level: UpperLevel, key: WindowKey): Promise<void> {
    await client.query(`DELETE FROM ${level.below.totalsTable} WHERE ${isWithin(level)}`, keyParameters(key));
  }

  /** Without `detail` that is left as it is. */
  async put(client: ClientBase, level: Level, key: WindowKey, { totals, detail }: BuiltSegment): Promise<void> {
    const { totalsTable, detailTable } = level;
    if (totalsTable === detailTable && detail !== null) return this.#upsert(client, totalsTable, key, { totals, detail });
    await this.#upsert(client, totalsTable, key, { totals });
    if (detail !== null) await this.#upsert(client, detailTable, key, { detail });
  }

  async #upsert(client: ClientBase, table: string, key: WindowKey, values: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const names = Object.keys(values);
    await client.query(
      `INSERT INTO ${table} (${KEY_COLUMNS}, ${names.join(', ')}) VALUES ($1, $2, $3, $4, $5, ${names.map((_, at) => `$${at + 6}`).join(', ')})
       ON CONFLICT (${KEY_COLUMNS}) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      [...keyParameters(key), ...Object.values(values).map(bytea)],
    );
  }
}

/** `pg` sends a Buffer as bytes, and any other Uint8Array too, but only whole ones. */
function bytea(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
