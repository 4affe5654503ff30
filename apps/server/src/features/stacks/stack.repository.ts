import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';

/** The head of one service's dictionary, locked: nobody else can add a page until the database transaction ends. */
export interface LockedHead {
  readonly version: number;
  pagesAbove(version: number): Promise<Buffer[]>;
  addPage(version: number, data: Uint8Array): Promise<void>;
}

/** Owns stack_head and stack_page. */
@Injectable()
export class StackRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Version of the newest committed page; 0: none. */
  async version(serviceId: number): Promise<number> {
    const rows = (await this.dataSource.query('SELECT version FROM stack_head WHERE service_id = $1', [serviceId])) as {
      version: number;
    }[];
    return rows[0]?.version ?? 0;
  }

  /** In order. */
  async pagesAbove(serviceId: number, version: number): Promise<Buffer[]> {
    const rows = (await this.dataSource.query(
      'SELECT data FROM stack_page WHERE service_id = $1 AND version > $2 ORDER BY version',
      [serviceId, version],
    )) as { data: Buffer }[];
    return rows.map((row) => row.data);
  }

  /**
   * Runs `work` in a short database transaction of its own that holds the lock of one head. Never two heads in one
   * database transaction, so no order between services can be got wrong.
   */
  async withLockedHead<Result>(serviceId: number, work: (head: LockedHead) => Promise<Result>): Promise<Result> {
    await this.dataSource.query('INSERT INTO stack_head (service_id, version) VALUES ($1, 0) ON CONFLICT DO NOTHING', [
      serviceId,
    ]);
    // READ COMMITTED, so that the statements after the lock see what its last holder wrote.
    return inDatabaseTransaction(this.dataSource, async ({ client }) => {
      const head = await client.query('SELECT version FROM stack_head WHERE service_id = $1 FOR UPDATE', [serviceId]);
      return work(lockedHead(client, serviceId, (head.rows as { version: number }[])[0]!.version));
    });
  }
}

function lockedHead(client: ClientBase, serviceId: number, version: number): LockedHead {
  return {
    version,
    async pagesAbove(above) {
      const pages = await client.query('SELECT data FROM stack_page WHERE service_id = $1 AND version > $2 ORDER BY version', [
        serviceId,
        above,
      ]);
      return (pages.rows as { data: Buffer }[]).map((row) => row.data);
    },
    async addPage(next, data) {
      // The primary key catches a mistake in the protocol.
      await client.query('INSERT INTO stack_page (service_id, version, data) VALUES ($1, $2, $3)', [serviceId, next, data]);
      await client.query('UPDATE stack_head SET version = $2 WHERE service_id = $1', [serviceId, next]);
    },
  };
}
