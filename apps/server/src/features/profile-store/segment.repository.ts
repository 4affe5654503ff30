import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { keyParameters, type WindowKey } from './window.js';

/** Owns segment: the merged profiles of built windows. */
@Injectable()
export class SegmentRepository {
  /** In the caller's database transaction, which holds the window's lock. */
  async detailOf(client: ClientBase, key: WindowKey): Promise<Buffer | undefined> {
    const found = await client.query(
      'SELECT detail FROM segment WHERE service_id = $1 AND profile_type_id = $2 AND window_start_ms = $3 AND revision_id = $4 AND environment_id = $5',
      keyParameters(key),
    );
    return (found.rows as { detail: Buffer }[])[0]?.detail;
  }

  async put(
    client: ClientBase,
    key: WindowKey,
    segment: { readonly totals: Uint8Array; readonly detail: Uint8Array },
  ): Promise<void> {
    await client.query(
      `INSERT INTO segment (service_id, profile_type_id, window_start_ms, revision_id, environment_id, totals, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (service_id, profile_type_id, window_start_ms, revision_id, environment_id) DO UPDATE SET totals = excluded.totals, detail = excluded.detail`,
      [...keyParameters(key), bytea(segment.totals), bytea(segment.detail)],
    );
  }
}

/** `pg` sends a Buffer as bytes, and any other Uint8Array too, but only whole ones. */
function bytea(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
