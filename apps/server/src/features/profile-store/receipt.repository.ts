import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { arrayText, inDatabaseTransaction } from '../../platform/database/index.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';

/**
 * What is remembered of one process, in bytes: some 800 gaps. Those are batches that its agent gave up, and ours makes fewer.
 * Of a client with more the gaps count as received, so that its row does not grow with every batch.
 */
const MAX_SEQUENCES_BYTES = 16_384;
/** How long an upload without sequence is recognised as sent before. */
export const UPLOAD_RECEIPT_LIFE_MS: DurationMs = 3_600_000;

export interface BatchIdentity {
  readonly serviceId: number;
  readonly processId: number;
  readonly sequence: number;
}
export interface UploadIdentity {
  readonly serviceId: number;
  readonly key: string;
}

/**
 * Owns batch_receipt and upload_receipt. Rows are written in key order: two callers with the same batches wait for one
 * another, and never in a circle. Whoever waits sees a duplicate if the other commits, and stores it if the other fails.
 *
 * A process counts its batches from 1, so what has come of it is a range or two, whatever their number: one row.
 */
@Injectable()
export class ReceiptRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @param batches No two alike. @returns Those that were not there. */
  async addBatches(client: ClientBase, batches: readonly BatchIdentity[], nowMs: EpochMs): Promise<BatchIdentity[]> {
    if (batches.length === 0) return [];
    // `added` is only how the row, once it is locked, tells what of this call is new.
    const added = await client.query(
      `WITH stored AS (
         INSERT INTO batch_receipt AS r (service_id, process_id, sequences, added, received_ms)
         SELECT a, b, range_agg(int8range(c, c, '[]')), range_agg(int8range(c, c, '[]')), $4
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (a, b, c) GROUP BY a, b ORDER BY a, b
         ON CONFLICT (service_id, process_id) DO UPDATE SET
           sequences = CASE WHEN pg_column_size(r.sequences) > ${MAX_SEQUENCES_BYTES} THEN int8multirange(range_merge(r.sequences)) ELSE r.sequences END
             + excluded.sequences,
           added = excluded.sequences - r.sequences,
           received_ms = GREATEST(r.received_ms, excluded.received_ms)
         RETURNING service_id, process_id, added)
       SELECT service_id AS "serviceId", process_id AS "processId", generate_series(lower(one), upper(one) - 1) AS sequence
       FROM stored, unnest(added) AS one`,
      [
        arrayText(batches.map((one) => one.serviceId)),
        arrayText(batches.map((one) => one.processId)),
        arrayText(batches.map((one) => one.sequence)),
        nowMs,
      ],
    );
    return added.rows as BatchIdentity[];
  }

  /** Forgets what is known of processes that were last heard of before `batchesBeforeMs`, and uploads before `uploadsBeforeMs`. */
  async forget({ batchesBeforeMs, uploadsBeforeMs }: { batchesBeforeMs: EpochMs; uploadsBeforeMs: EpochMs }): Promise<void> {
    await this.dataSource.query('DELETE FROM batch_receipt WHERE received_ms < $1', [batchesBeforeMs]);
    await this.dataSource.query('DELETE FROM upload_receipt WHERE received_ms < $1', [uploadsBeforeMs]);
  }

  /** Forgets what is known of processes that are gone for good. @param note - What went, in the database transaction in which it did */
  async removeProcesses(serviceId: number, processIds: readonly number[], note: NoteRemoved): Promise<void> {
    if (processIds.length === 0) return;
    await inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const removed = await client.query('DELETE FROM batch_receipt WHERE service_id = $1 AND process_id = ANY ($2)', [
        serviceId,
        processIds,
      ]);
      await note(client, { rows: removed.rowCount ?? 0, tables: [] });
    });
  }

  /** @param uploads No two alike. @returns Those that were not there, or too long ago. */
  async addUploads(client: ClientBase, uploads: readonly UploadIdentity[], nowMs: EpochMs): Promise<UploadIdentity[]> {
    if (uploads.length === 0) return [];
    const added = await client.query(
      `INSERT INTO upload_receipt AS r (service_id, key, received_ms)
       SELECT a, b, $3 FROM unnest($1::bigint[], $2::text[]) AS new (a, b) ORDER BY a, b
       ON CONFLICT (service_id, key) DO UPDATE SET received_ms = excluded.received_ms WHERE r.received_ms < $3 - ${UPLOAD_RECEIPT_LIFE_MS}
       RETURNING service_id AS "serviceId", key`,
      [uploads.map((one) => one.serviceId), uploads.map((one) => one.key), nowMs],
    );
    return added.rows as UploadIdentity[];
  }
}
