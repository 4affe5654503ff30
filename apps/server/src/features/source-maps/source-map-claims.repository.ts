import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';

/** Who claims a map has so long to send it; then another process may. */
export const CLAIM_MS = 10 * 60_000;
/** Of one that was refused: it would be refused again. */
const REFUSED_MS = 86_400_000;
/** Of one service: what is beyond is nobody's until some have ended. */
export const MAX_CLAIMS = 10_000;

/** Owns source_map_claim. */
@Injectable()
export class SourceMapClaims {
  constructor(readonly dataSource: DataSource) {}

  /** @returns Those of `files` that nobody else has claimed: they are the caller's now. */
  async claim(serviceId: number, revision: string, files: readonly string[], nowMs: EpochMs): Promise<string[]> {
    await this.dataSource.query('DELETE FROM source_map_claim WHERE service_id = $1 AND until_ms <= $2', [serviceId, nowMs]);
    const [{ open }] = (await this.dataSource.query('SELECT count(*)::int AS open FROM source_map_claim WHERE service_id = $1', [
      serviceId,
    ])) as [{ open: number }];
    // In the order of their names: two that claim the same in another order would wait for each other.
    const claimed = (await this.dataSource.query(
      `INSERT INTO source_map_claim (service_id, revision, file, until_ms)
       SELECT $1, $2, file, $4 FROM unnest($3::text[]) AS file GROUP BY file ORDER BY file LIMIT $5
       ON CONFLICT (service_id, revision, file) DO NOTHING RETURNING file`,
      [serviceId, revision, files, nowMs + CLAIM_MS, Math.max(0, MAX_CLAIMS - open)],
    )) as { file: string }[];
    return claimed.map(({ file }) => file);
  }

  /** The map that somebody has claimed cannot be taken: nobody is asked for it again soon. */
  async refuse(serviceId: number, revision: string, file: string, nowMs: EpochMs): Promise<void> {
    await this.dataSource.query(
      'UPDATE source_map_claim SET until_ms = $4 WHERE service_id = $1 AND revision = $2 AND file = $3',
      [serviceId, revision, file, nowMs + REFUSED_MS],
    );
  }
}
