import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { copyIn, CopyWriter } from '../../platform/database/copy.js';
import { TimePartitions, type TimePartition } from '../../platform/database/partitions.js';
import { HOUR_MS, IS_KEY, KEY_COLUMNS, keyParameters, type WindowKey } from './window.js';

export interface BlockRow extends WindowKey {
  /** Hour in which the server took it: the partition. */
  readonly arrivedHourMs: EpochMs;
  /** Within its window, without gaps between committed ones of one database transaction. */
  readonly sequence: number;
  readonly processId: number;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly data: Uint8Array;
}

/** A block as the builder needs it. */
export interface StoredBlock {
  readonly processId: number;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly data: Buffer;
}

const COLUMNS = `arrived_hour_ms, ${KEY_COLUMNS}, sequence, process_id, start_ms, duration_ms, data`;
const COLUMN_COUNT = 11;

/** Owns block: stored raw profiles, partitioned by hour of arrival. */
@Injectable()
export class BlockRepository {
  readonly partitions: TimePartitions;

  constructor(private readonly dataSource: DataSource) {
    this.partitions = new TimePartitions(dataSource, 'block', { widthMs: HOUR_MS });
  }

  /** By COPY, in the caller's database transaction. */
  async add(client: ClientBase, blocks: readonly BlockRow[]): Promise<void> {
    if (blocks.length === 0) return;
    const writer = new CopyWriter();
    for (const block of blocks) {
      writer.row(COLUMN_COUNT);
      writer.int8(block.arrivedHourMs);
      writer.int8(block.serviceId);
      writer.int2(block.profileTypeId);
      writer.int8(block.windowStartMs);
      writer.int8(block.revisionId);
      writer.int8(block.environmentId);
      writer.int4(block.sequence);
      writer.int8(block.processId);
      writer.int8(block.startMs);
      writer.int4(block.durationMs);
      writer.bytes(block.data);
    }
    await copyIn(client, `block (${COLUMNS})`, writer.finish());
  }

  /** Blocks of one window behind `afterSequence`, up to `untilSequence`. */
  async ofWindow(client: ClientBase, key: WindowKey, afterSequence: number, untilSequence: number): Promise<StoredBlock[]> {
    const found = await client.query(
      `SELECT process_id AS "processId", start_ms AS "startMs", duration_ms AS "durationMs", data FROM block
       WHERE ${IS_KEY} AND sequence > $6 AND sequence <= $7 ORDER BY sequence`,
      [...keyParameters(key), afterSequence, untilSequence],
    );
    return found.rows as StoredBlock[];
  }

  /**
   * Whether every block of a partition is in a segment. Costs by pending windows, not by blocks.
   *
   * @param client Of the database transaction that keeps everybody else away; without one the answer may be old.
   */
  async hasOnlyBuilt({ startMs }: TimePartition, client?: ClientBase): Promise<boolean> {
    const query = `
      SELECT 1 FROM profile_window w
      WHERE w.sequence > w.built_sequence AND EXISTS (
        SELECT 1 FROM block b
        WHERE b.arrived_hour_ms = ${startMs} AND b.service_id = w.service_id AND b.profile_type_id = w.profile_type_id AND b.window_start_ms = w.window_start_ms
          AND b.revision_id = w.revision_id AND b.environment_id = w.environment_id AND b.sequence > w.built_sequence)
      LIMIT 1`;
    const unbuilt = client === undefined ? ((await this.dataSource.query(query)) as unknown[]) : (await client.query(query)).rows;
    return unbuilt.length === 0;
  }
}
