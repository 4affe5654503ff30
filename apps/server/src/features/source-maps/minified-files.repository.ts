import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';

/** Of one revision: a bundle is a few files, and somebody who minifies each file knows it from these. */
export const MAX_FILES_PER_REVISION = 50;
/** How exactly it is known when one last came. */
const SEEN_GRAIN_MS = 10 * 60_000;
const REMEMBERED = 10_000;
/** In UTF-8; an entry of an index holds some 2,700. */
const MAX_FILE_BYTES = 2_000;

/** A file whose functions came minified, and were stored so. */
export interface MinifiedFile {
  readonly serviceId: number;
  readonly revisionId: number;
  readonly file: string;
  readonly firstMs: EpochMs;
  readonly lastMs: EpochMs;
}

/** Owns minified_file. */
@Injectable()
export class MinifiedFiles {
  readonly #seenMs = new Map<string, EpochMs>();

  constructor(readonly dataSource: DataSource) {}

  /** Written now and then: the same few files come with every batch. Left out is what has a longer name than files have. */
  async note(serviceId: number, revisionId: number, files: readonly string[], atMs: EpochMs): Promise<void> {
    const fresh = files.slice(0, MAX_FILES_PER_REVISION).filter((file) => {
      if (Buffer.byteLength(file) > MAX_FILE_BYTES) return false;
      const seenMs = this.#seenMs.get(JSON.stringify([serviceId, revisionId, file]));
      return seenMs === undefined || Math.abs(atMs - seenMs) >= SEEN_GRAIN_MS;
    });
    if (fresh.length === 0) return;
    await this.dataSource.query(
      `INSERT INTO minified_file (service_id, revision_id, file, first_ms, last_ms)
       SELECT $1, $2, new.file, $4, $4 FROM unnest($3::text[]) AS new (file)
       WHERE (SELECT count(*) FROM minified_file WHERE service_id = $1 AND revision_id = $2) < ${MAX_FILES_PER_REVISION}
         OR EXISTS (SELECT FROM minified_file AS known WHERE known.service_id = $1 AND known.revision_id = $2 AND known.file = new.file)
       ORDER BY new.file
       ON CONFLICT (service_id, revision_id, file) DO UPDATE SET
         first_ms = LEAST(minified_file.first_ms, excluded.first_ms), last_ms = GREATEST(minified_file.last_ms, excluded.last_ms)`,
      [serviceId, revisionId, fresh, atMs],
    );
    if (this.#seenMs.size > REMEMBERED) this.#seenMs.clear();
    for (const file of fresh) this.#seenMs.set(JSON.stringify([serviceId, revisionId, file]), atMs);
  }

  /** Those that came within [fromMs, untilMs), by revision, then file. @param revisionIds - `undefined`: all. */
  async list(
    serviceId: number,
    range: { readonly fromMs: EpochMs; readonly untilMs: EpochMs },
    revisionIds: readonly number[] | undefined,
  ): Promise<MinifiedFile[]> {
    return (await this.dataSource.query(
      `SELECT service_id AS "serviceId", revision_id AS "revisionId", file, first_ms AS "firstMs", last_ms AS "lastMs" FROM minified_file
       WHERE service_id = $1 AND last_ms >= $2 AND first_ms < $3 AND ($4::bigint[] IS NULL OR revision_id = ANY ($4))
       ORDER BY revision_id, file`,
      [serviceId, range.fromMs - SEEN_GRAIN_MS, range.untilMs, revisionIds ?? null],
    )) as MinifiedFile[];
  }

  async removeBefore(serviceIds: readonly number[], beforeMs: EpochMs): Promise<void> {
    await this.dataSource.query('DELETE FROM minified_file WHERE service_id = ANY ($1) AND last_ms < $2', [serviceIds, beforeMs]);
  }
}
