import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';

/** When processes started, without the rest of what is known of them: a service may have had tens of thousands. */
@Injectable()
export class ProcessStarts {
  constructor(private readonly dataSource: DataSource) {}

  /** Of the processes of a service that were heard of since `sinceMs`, by id. */
  async seenSince(serviceId: number, sinceMs: EpochMs): Promise<Map<number, EpochMs>> {
    const rows = (await this.dataSource.query(
      'SELECT id, started_at_ms AS "startedAtMs" FROM process WHERE service_id = $1 AND last_seen_ms >= $2',
      [serviceId, sinceMs],
    )) as { id: number; startedAtMs: EpochMs }[];
    return new Map(rows.map(({ id, startedAtMs }) => [id, startedAtMs]));
  }
}
