import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { arrayText } from '../../platform/database/index.js';

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
 */
@Injectable()
export class ReceiptRepository {
  /** @param batches No two alike. @returns Those that were not there. */
  async addBatches(client: ClientBase, batches: readonly BatchIdentity[], nowMs: EpochMs): Promise<BatchIdentity[]> {
    if (batches.length === 0) return [];
    const added = await client.query(
      `INSERT INTO batch_receipt (service_id, process_id, sequence, received_ms)
       SELECT a, b, c, $4 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (a, b, c) ORDER BY a, b, c
       ON CONFLICT DO NOTHING RETURNING service_id AS "serviceId", process_id AS "processId", sequence`,
      [
        arrayText(batches.map((one) => one.serviceId)),
        arrayText(batches.map((one) => one.processId)),
        arrayText(batches.map((one) => one.sequence)),
        nowMs,
      ],
    );
    return added.rows as BatchIdentity[];
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
