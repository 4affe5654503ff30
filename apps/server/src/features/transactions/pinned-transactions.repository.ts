import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import type { LabelledRows } from './transaction-window.repository.js';

const HOUR_MS: DurationMs = 3_600_000;
const DAY_MS: DurationMs = 24 * HOUR_MS;
/** Of one look for what is past; the rest the next time. */
const MAX_HOURS = 10_000;

/** Of a pinned revision, in ids. */
export interface PinnedTransactionsKey {
  readonly serviceId: number;
  readonly revisionId: number;
}

/** Owns pinned_transaction: transactions of pinned revisions by day, when their minutes are past. */
@Injectable()
export class PinnedTransactions {
  readonly partitions: TimePartitions;

  constructor(private readonly dataSource: DataSource) {
    this.partitions = new TimePartitions(dataSource, 'pinned_transaction', { widthMs: 28 * DAY_MS });
  }

  /**
   * Hours of whole days before `beforeMs` of which minutes are still to be kept, the oldest first.
   *
   * @param openDays - Starts of days that a range may still cut: theirs wait
   */
  async listHours(
    { serviceId, revisionId }: PinnedTransactionsKey,
    beforeMs: EpochMs,
    openDays: readonly EpochMs[],
  ): Promise<EpochMs[]> {
    const rows = (await this.dataSource.query(
      `SELECT DISTINCT window_start_ms / ${HOUR_MS} * ${HOUR_MS} AS "startMs" FROM transaction_window
       WHERE service_id = $1 AND revision_id = $2 AND window_start_ms < $3 AND window_start_ms / ${DAY_MS} * ${DAY_MS} <> ALL ($4::bigint[])
       ORDER BY 1 LIMIT ${MAX_HOURS}`,
      [serviceId, revisionId, Math.floor(beforeMs / DAY_MS) * DAY_MS, openDays],
    )) as { startMs: EpochMs }[];
    return rows.map(({ startMs }) => startMs);
  }

  /**
   * Takes the minutes of one hour into their day. In the caller's database transaction, so that each is in one of the two at every moment, and whoever
   * comes again finds nothing left.
   */
  async keep(client: ClientBase, { serviceId, revisionId }: PinnedTransactionsKey, hourStartMs: EpochMs): Promise<void> {
    await client.query(KEEP, [serviceId, revisionId, hourStartMs, hourStartMs + HOUR_MS]);
  }

  /** Whether a day of a service is kept of any revision. */
  async hasDay(serviceId: number, dayStartMs: EpochMs): Promise<boolean> {
    const found = (await this.dataSource.query(
      'SELECT FROM pinned_transaction WHERE service_id = $1 AND window_start_ms = $2 LIMIT 1',
      [serviceId, dayStartMs],
    )) as unknown[];
    return found.length === 1;
  }

  /** Removes the days of a service that lie within a range. @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND window_start_ms >= $2 AND window_start_ms <= $3';
    await this.partitions.removeRows({ where, parameters: [serviceId, range.fromMs, range.untilMs - DAY_MS] }, note, range);
  }

  /** Removes what was counted for label sets, or for processes, of a service. @param note - As above */
  async removeLabelled(serviceId: number, { labelSetIds, processIds }: LabelledRows, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND (label_set_id = ANY ($2) OR process_id = ANY ($3))';
    await this.partitions.removeRows({ where, parameters: [serviceId, labelSetIds, processIds] }, note);
  }

  async remove(client: ClientBase, { serviceId, revisionId }: PinnedTransactionsKey): Promise<void> {
    await client.query('DELETE FROM pinned_transaction WHERE service_id = $1 AND revision_id = $2', [serviceId, revisionId]);
  }

  /** Whether minutes of one of these begin within the range. Reads what the services have in it once, by its index. */
  async hasMinutes(client: ClientBase, keys: readonly PinnedTransactionsKey[], { fromMs, untilMs }: TimeRange): Promise<boolean> {
    for (const serviceId of new Set(keys.map((key) => key.serviceId))) {
      const revisionIds = keys.filter((key) => key.serviceId === serviceId).map(({ revisionId }) => revisionId);
      const found = await client.query(
        `SELECT FROM transaction_window WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3 AND revision_id = ANY ($4) LIMIT 1`,
        [serviceId, fromMs, untilMs, revisionIds],
      );
      if (found.rowCount === 1) return true;
    }
    return false;
  }
}

const KEY = 'service_id, process_id, revision_id, environment_id, label_set_id, kind, outcome';

/** Sketches are merged bucket by bucket: those of the minutes with each other, and with what the day has already. In key order, as everybody who locks rows. */
const KEEP = `
  WITH minutes AS (
    DELETE FROM transaction_window WHERE service_id = $1 AND revision_id = $2 AND window_start_ms >= $3 AND window_start_ms < $4 RETURNING *
  ), sums AS (
    SELECT ${KEY}, sum(count)::bigint AS count, sum(duration_sum_us)::bigint AS duration_sum_us FROM minutes GROUP BY ${KEY}
  ), sketches AS (
    SELECT ${KEY}, array_agg(bucket ORDER BY bucket) AS sketch_bucket, array_agg(n ORDER BY bucket) AS sketch_count
    FROM (
      SELECT ${KEY}, sketch.bucket, sum(sketch.n)::bigint AS n FROM minutes, unnest(sketch_bucket, sketch_count) AS sketch (bucket, n)
      GROUP BY ${KEY}, sketch.bucket
    ) AS buckets GROUP BY ${KEY}
  )
  INSERT INTO pinned_transaction AS day
    (${KEY}, window_start_ms, count, duration_sum_us, sketch_bucket, sketch_count)
  SELECT ${KEY}, $3::bigint / ${DAY_MS} * ${DAY_MS}, count, duration_sum_us, coalesce(sketch_bucket, '{}'), coalesce(sketch_count, '{}')
  FROM sums LEFT JOIN sketches USING (${KEY}) ORDER BY ${KEY}
  ON CONFLICT (service_id, window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome) DO UPDATE SET
    count = day.count + excluded.count,
    duration_sum_us = day.duration_sum_us + excluded.duration_sum_us,
    (sketch_bucket, sketch_count) = (
      SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'), coalesce(array_agg(n ORDER BY bucket), '{}')
      FROM (
        SELECT bucket, sum(n)::bigint AS n
        FROM unnest(day.sketch_bucket || excluded.sketch_bucket, day.sketch_count || excluded.sketch_count) AS sketch (bucket, n)
        GROUP BY bucket
      ) AS merged
    )`;
