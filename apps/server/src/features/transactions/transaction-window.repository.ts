import { Injectable } from '@nestjs/common';
import type { EpochMs, Micros, TimeRange } from '@hearth/profile-model';
import { COUNTED_KINDS, OUTCOMES, type CountedKind, type Outcome } from '@hearth/wire-format';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { arrayText, nestedArrayText, ReadDatabase, type Freshness } from '../../platform/database/index.js';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';

/** What identifies one row: the transactions, or runs of a snippet, of one process in one minute that share everything a reader may ask for. */
export interface TransactionWindowKey {
  readonly serviceId: number;
  /** Start of the minute. */
  readonly windowStartMs: EpochMs;
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  /** Its label `transaction` is the name; of a snippet `measure`. */
  readonly labelSetId: number;
  readonly kind: CountedKind;
  readonly outcome: Outcome;
}

export interface TransactionWindow extends TransactionWindowKey {
  readonly count: number;
  /** Of a snippet nanoseconds, here and in the sketch. */
  readonly durationSumMicros: Micros;
  /** Buckets of a `DurationSketch`, as long as `sketchCount`; a bucket may repeat. */
  readonly sketchBucket: ArrayLike<number>;
  readonly sketchCount: ArrayLike<number>;
}

/** Transactions, or snippets: nobody asks for both. */
export type WindowsOf = 'transactions' | 'measures';

export interface LabelledRows {
  readonly labelSetIds: readonly number[];
  readonly processIds: readonly number[];
}

export interface TransactionWindowFilter {
  readonly serviceId: number;
  /** Minutes that start within [fromMs, untilMs). */
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Each list: any of them; undefined is all. */
  readonly environmentIds?: readonly number[] | undefined;
  readonly revisionIds?: readonly number[] | undefined;
  readonly processIds?: readonly number[] | undefined;
  readonly labelSetIds?: readonly number[] | undefined;
}

const DAY_MS = 86_400_000;

type Row = Record<
  | 'window_start_ms'
  | 'process_id'
  | 'revision_id'
  | 'environment_id'
  | 'label_set_id'
  | 'kind'
  | 'outcome'
  | 'count'
  | 'duration_sum_us',
  number
> & { sketch_bucket: number[]; sketch_count: number[] };

/** Owns transaction_window, partitioned by day, and reads beside it what is kept of pinned revisions. */
@Injectable()
export class TransactionWindowRepository {
  readonly partitions: TimePartitions;

  constructor(
    dataSource: DataSource,
    private readonly reads: ReadDatabase,
  ) {
    // Rows are added to for a minute, and stay on their page if it has room.
    this.partitions = new TimePartitions(dataSource, 'transaction_window', { widthMs: DAY_MS, storage: 'fillfactor = 70' });
  }

  /**
   * Adds to what is there, in the caller's database transaction. Rows are locked in key order, so callers beside each
   * other wait, and never in a circle.
   *
   * @param windows No two of one key.
   */
  async add(client: ClientBase, windows: readonly TransactionWindow[]): Promise<void> {
    if (windows.length === 0) return;
    const column = (of: (window: TransactionWindow) => number) => arrayText(windows.map(of));
    await client.query(ADD, [
      column((one) => one.serviceId),
      column((one) => one.windowStartMs),
      column((one) => one.processId),
      column((one) => one.revisionId),
      column((one) => one.environmentId),
      column((one) => one.labelSetId),
      column((one) => COUNTED_KINDS.indexOf(one.kind)),
      column((one) => OUTCOMES.indexOf(one.outcome)),
      column((one) => one.count),
      column((one) => one.durationSumMicros),
      // An array of arrays must be rectangular in Postgres, so each goes as its own text.
      nestedArrayText(windows.map((one) => one.sketchBucket)),
      nestedArrayText(windows.map((one) => one.sketchCount)),
    ]);
  }

  /** Start of the day that holds a service's first row, or the first that is kept of a pinned revision. */
  async firstDay(serviceId: number, revisionId: number | undefined, freshness: Freshness): Promise<EpochMs | undefined> {
    const query = `SELECT min(first_ms) AS "firstMs" FROM (
      SELECT min(window_start_ms) AS first_ms FROM transaction_window WHERE service_id = $1
      UNION ALL SELECT min(window_start_ms) FROM pinned_transaction WHERE service_id = $1 AND revision_id = $2) AS firsts`;
    const [row] = (await this.reads.read(freshness, (dataSource) =>
      dataSource.query(query, [serviceId, revisionId ?? null]),
    )) as {
      firstMs: EpochMs | null;
    }[];
    const firstMs = row?.firstMs ?? undefined;
    return firstMs === undefined ? undefined : Math.floor(firstMs / DAY_MS) * DAY_MS;
  }

  /** Removes the minutes of a service that start within [fromMs, untilMs). */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3';
    await this.partitions.removeRows({ where, parameters: [serviceId, range.fromMs, range.untilMs] }, note, range);
  }

  /** Removes what was counted for label sets, or for processes, of a service. */
  async removeLabelled(serviceId: number, { labelSetIds, processIds }: LabelledRows, note: NoteRemoved): Promise<void> {
    const where = 'service_id = $1 AND (label_set_id = ANY ($2) OR process_id = ANY ($3))';
    await this.partitions.removeRows({ where, parameters: [serviceId, labelSetIds, processIds] }, note);
  }

  /** By minute, then process. Of pinned revisions perhaps only a day is known: it counts where all of it lies within the range. */
  async read(of: WindowsOf, filter: TransactionWindowFilter, freshness: Freshness): Promise<TransactionWindow[]> {
    const parameters = [
      filter.serviceId,
      filter.fromMs,
      filter.untilMs,
      filter.environmentIds ?? null,
      filter.revisionIds ?? null,
      filter.processIds ?? null,
      filter.labelSetIds ?? null,
      of === 'measures',
    ];
    const rows = (await this.reads.read(freshness, (dataSource) => dataSource.query(READ, parameters))) as Row[];
    return rows.map((row) => ({
      serviceId: filter.serviceId,
      windowStartMs: row.window_start_ms,
      processId: row.process_id,
      revisionId: row.revision_id,
      environmentId: row.environment_id,
      labelSetId: row.label_set_id,
      kind: COUNTED_KINDS[row.kind]!,
      outcome: OUTCOMES[row.outcome]!,
      count: row.count,
      durationSumMicros: row.duration_sum_us,
      sketchBucket: row.sketch_bucket,
      sketchCount: row.sketch_count,
    }));
  }
}

/** Sketches are merged by the database: what another database transaction has just added is seen only under the row's lock. */
const ADD = `
  INSERT INTO transaction_window AS w
    (service_id, window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome, count, duration_sum_us, sketch_bucket, sketch_count)
  SELECT a, b, c, d, e, f, g, h, i, j, k::int[], l::bigint[]
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[], $8::smallint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[])
    AS new (a, b, c, d, e, f, g, h, i, j, k, l)
  ORDER BY a, b, c, d, e, f, g, h
  ON CONFLICT (service_id, window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome) DO UPDATE SET
    count = w.count + excluded.count,
    duration_sum_us = w.duration_sum_us + excluded.duration_sum_us,
    (sketch_bucket, sketch_count) = (
      SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'), coalesce(array_agg(count ORDER BY bucket), '{}')
      FROM (
        SELECT bucket, sum(count)::bigint AS count
        FROM unnest(w.sketch_bucket || excluded.sketch_bucket, w.sketch_count || excluded.sketch_count) AS both_sketches (bucket, count)
        GROUP BY bucket
      ) AS merged
    )`;

const rowsOf = (table: string, untilMs: string) => `
  SELECT window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome, count, duration_sum_us, sketch_bucket, sketch_count
  FROM ${table}
  WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < ${untilMs}
    AND ($4::bigint[] IS NULL OR environment_id = ANY ($4)) AND ($5::bigint[] IS NULL OR revision_id = ANY ($5))
    AND ($6::bigint[] IS NULL OR process_id = ANY ($6)) AND ($7::bigint[] IS NULL OR label_set_id = ANY ($7))
    AND (kind = ${COUNTED_KINDS.indexOf('measure')}) = $8`;

const READ = `
  ${rowsOf('transaction_window', '$3::bigint')} UNION ALL ${rowsOf('pinned_transaction', `$3::bigint - ${DAY_MS - 1}`)}
  ORDER BY window_start_ms, process_id, label_set_id, kind, outcome`;
