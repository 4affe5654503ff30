import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/index.js';

/** Of one revision: bundles have a few files, compiled sources a few hundred. */
export const MAX_MAPS_PER_REVISION = 2_000;
/** Listed at once. */
const MAX_LISTED = 10_000;
/** How exactly it is known when a map was last used. */
const USED_GRAIN_MS = 12 * 3_600_000;
/** Revisions that nobody has sent for so long make room where a project is full. */
const UNUSED_MS = 7 * 86_400_000;

export interface SourceMapKey {
  readonly serviceId: number;
  /** As processes send it. */
  readonly revision: string;
  /** Generated file, relative to the root. */
  readonly file: string;
}

export interface SourceMapRow extends SourceMapKey {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly uploadedMs: EpochMs;
  /** When a batch of its revision last came, to half a day; or when it was uploaded. */
  readonly usedMs: EpochMs;
}

export interface SourceMapToStore extends SourceMapKey {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly data: Uint8Array;
}

export type SourceMapOutcome = 'stored' | 'unchanged' | 'replaced';

const COLUMNS = `service_id AS "serviceId", revision, file, hash, size_bytes AS "sizeBytes", stored_bytes AS "storedBytes",
  uploaded_ms AS "uploadedMs", used_ms AS "usedMs"`;

/** Owns source_map. */
@Injectable()
export class SourceMaps {
  constructor(readonly dataSource: DataSource) {}

  /**
   * Stored twice is stored once. Where the project is full, those of revisions that no process has sent for seven days go, the last used last.
   *
   * @throws {HearthError} `TOO_MANY_SOURCE_MAPS`, `SOURCE_MAPS_FULL` 413
   */
  async store(
    map: SourceMapToStore,
    project: { readonly id: number; readonly serviceIds: readonly number[]; readonly maxBytes: number },
    nowMs: EpochMs,
  ): Promise<SourceMapOutcome> {
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      // One at a time for each project: two would both find the last room.
      await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`source maps ${project.id}`]);
      const key = [map.serviceId, map.revision, map.file];
      const known = await client.query<{ hash: string; storedBytes: number }>(
        'SELECT hash, stored_bytes AS "storedBytes" FROM source_map WHERE service_id = $1 AND revision = $2 AND file = $3',
        key,
      );
      const before = known.rows[0];
      if (before?.hash === map.hash) {
        await client.query('UPDATE source_map SET used_ms = $4 WHERE service_id = $1 AND revision = $2 AND file = $3', [
          ...key,
          nowMs,
        ]);
        return 'unchanged';
      }
      if (before === undefined) await assertRoomInRevision(client, map);
      await makeRoomInProject(client, project, map, { moreBytes: map.data.length - (before?.storedBytes ?? 0), nowMs });
      await client.query(
        `INSERT INTO source_map (service_id, revision, file, hash, size_bytes, stored_bytes, uploaded_ms, used_ms, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
         ON CONFLICT (service_id, revision, file) DO UPDATE SET hash = excluded.hash, size_bytes = excluded.size_bytes,
           stored_bytes = excluded.stored_bytes, uploaded_ms = excluded.uploaded_ms, used_ms = excluded.used_ms, data = excluded.data`,
        [...key, map.hash, map.sizeBytes, map.data.length, nowMs, Buffer.from(map.data)],
      );
      return before === undefined ? 'stored' : 'replaced';
    });
  }

  /** The last uploaded first, at most 10,000. */
  async list(serviceIds: readonly number[], revision: string | undefined): Promise<SourceMapRow[]> {
    return (await this.dataSource.query(
      `SELECT ${COLUMNS} FROM source_map WHERE service_id = ANY ($1) AND ($2::text IS NULL OR revision = $2)
       ORDER BY uploaded_ms DESC, service_id, revision, file LIMIT ${MAX_LISTED}`,
      [serviceIds, revision ?? null],
    )) as SourceMapRow[];
  }

  /** Files and hashes of one revision, marked as used: its processes send. */
  async use(serviceId: number, revision: string, nowMs: EpochMs): Promise<Pick<SourceMapRow, 'file' | 'hash'>[]> {
    const found = (await this.dataSource.query(
      'SELECT file, hash, used_ms AS "usedMs" FROM source_map WHERE service_id = $1 AND revision = $2',
      [serviceId, revision],
    )) as Pick<SourceMapRow, 'file' | 'hash' | 'usedMs'>[];
    if (found.some(({ usedMs }) => usedMs < nowMs - USED_GRAIN_MS))
      await this.dataSource.query('UPDATE source_map SET used_ms = $3 WHERE service_id = $1 AND revision = $2', [
        serviceId,
        revision,
        nowMs,
      ]);
    return found;
  }

  /** @returns `undefined`: it is gone, or another map is in its place. */
  async data({
    serviceId,
    revision,
    file,
    hash,
  }: SourceMapKey & { readonly hash: string }): Promise<{ data: Uint8Array; sizeBytes: number } | undefined> {
    const rows = (await this.dataSource.query(
      'SELECT data, size_bytes AS "sizeBytes" FROM source_map WHERE service_id = $1 AND revision = $2 AND file = $3 AND hash = $4',
      [serviceId, revision, file, hash],
    )) as { data: Buffer; sizeBytes: number }[];
    return rows[0];
  }

  /** @returns How many there were. */
  async remove(serviceId: number, revision: string): Promise<number> {
    return this.#delete('service_id = $1 AND revision = $2', [serviceId, revision]);
  }

  /** Forgets maps of revisions that no process has sent since. */
  async removeUnused(serviceIds: readonly number[], beforeMs: EpochMs): Promise<void> {
    await this.#delete('service_id = ANY ($1) AND used_ms < $2', [serviceIds, beforeMs]);
  }

  async #delete(where: string, parameters: unknown[]): Promise<number> {
    const [, count] = (await this.dataSource.query(`DELETE FROM source_map WHERE ${where}`, parameters)) as [unknown, number];
    return count;
  }
}

async function assertRoomInRevision(client: ClientBase, { serviceId, revision }: SourceMapKey): Promise<void> {
  const counted = await client.query<{ n: number }>(
    'SELECT count(*) AS n FROM source_map WHERE service_id = $1 AND revision = $2',
    [serviceId, revision],
  );
  if (counted.rows[0]!.n >= MAX_MAPS_PER_REVISION)
    throw new HearthError(
      'TOO_MANY_SOURCE_MAPS',
      `revision ${JSON.stringify(revision)} has ${MAX_MAPS_PER_REVISION} source maps already: upload those of what runs only`,
      { status: 413 },
    );
}

/** @throws {HearthError} `SOURCE_MAPS_FULL`: the transaction must not be committed, or maps are gone for nothing */
async function makeRoomInProject(
  client: ClientBase,
  { serviceIds, maxBytes }: { readonly serviceIds: readonly number[]; readonly maxBytes: number },
  { serviceId, revision }: SourceMapKey,
  { moreBytes, nowMs }: { readonly moreBytes: number; readonly nowMs: EpochMs },
): Promise<void> {
  const bytes = await bytesOf(client, serviceIds);
  const tooMany = bytes + moreBytes - maxBytes;
  if (tooMany <= 0) return;
  // As many whole revisions as are needed, the last used last.
  await client.query(
    `WITH unused AS (
       SELECT service_id, revision, max(used_ms) AS used_ms, sum(stored_bytes) AS bytes FROM source_map
       WHERE service_id = ANY ($1) AND (service_id, revision) <> ($2, $3) GROUP BY service_id, revision HAVING max(used_ms) < $4
     ), ordered AS (
       SELECT service_id, revision, sum(bytes) OVER (ORDER BY used_ms, service_id, revision) - bytes AS bytes_before FROM unused
     )
     DELETE FROM source_map USING ordered
     WHERE source_map.service_id = ordered.service_id AND source_map.revision = ordered.revision AND ordered.bytes_before < $5`,
    [serviceIds, serviceId, revision, nowMs - UNUSED_MS, tooMany],
  );
  const leftBytes = await bytesOf(client, serviceIds);
  if (leftBytes + moreBytes > maxBytes)
    throw new HearthError(
      'SOURCE_MAPS_FULL',
      `source maps of the project take ${bytes} bytes already, ${maxBytes} allowed (MAX_SOURCE_MAPS_TOTAL_BYTES), all but ${bytes - leftBytes} of revisions that ran in the last seven days: delete those that run no more`,
      { status: 413 },
    );
}

async function bytesOf(client: ClientBase, serviceIds: readonly number[]): Promise<number> {
  const summed = await client.query<{ bytes: string | null }>(
    'SELECT sum(stored_bytes)::text AS bytes FROM source_map WHERE service_id = ANY ($1)',
    [serviceIds],
  );
  return Number(summed.rows[0]!.bytes ?? 0);
}
