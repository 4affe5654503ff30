import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { In, Repository } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import { PinnedRevisionEntity } from './pinned-revision.entity.js';

type PinnedRevisionRow = Readonly<PinnedRevisionEntity>;
export type PinKey = Pick<PinnedRevisionRow, 'serviceId' | 'revisionId'>;

/** Owns pinned_revision. What is kept for a pin is kept by those who own it, in database transactions that hold the pin. */
@Injectable()
export class PinnedRevisions {
  constructor(@InjectRepository(PinnedRevisionEntity) readonly table: Repository<PinnedRevisionEntity>) {}

  /** The last pinned first. */
  async of(serviceIds: readonly number[]): Promise<PinnedRevisionRow[]> {
    return this.table.find({ where: { serviceId: In(serviceIds) }, order: { pinnedMs: 'DESC', revisionId: 'DESC' } });
  }

  async listAll(): Promise<PinnedRevisionRow[]> {
    return this.table.find({ order: { serviceId: 'ASC', revisionId: 'ASC' } });
  }

  /** All there are, until the end of the database transaction, which forgets what is past: whoever pins meanwhile waits. */
  async holdAll(client: ClientBase): Promise<PinKey[]> {
    await client.query('LOCK TABLE pinned_revision IN SHARE MODE');
    const found = await client.query('SELECT service_id AS "serviceId", revision_id AS "revisionId" FROM pinned_revision');
    return found.rows as PinKey[];
  }

  /** @returns As it is pinned now; one that was pinned before stays as it was. `undefined`: the service has `maxPins` others. */
  async pin({ serviceId, revisionId }: PinKey, maxPins: number, nowMs: EpochMs): Promise<PinnedRevisionRow | undefined> {
    return this.table.manager.transaction(async (manager) => {
      const table = manager.getRepository(PinnedRevisionEntity);
      // One at a time for each service: two would both find room for the last.
      await table.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`pin ${serviceId}`]);
      const known = await table.findOneBy({ serviceId, revisionId });
      if (known !== null) return known;
      if ((await table.countBy({ serviceId })) >= maxPins) return undefined;
      await table.insert({ serviceId, revisionId, pinnedMs: nowMs });
      return { serviceId, revisionId, pinnedMs: nowMs };
    });
  }

  /**
   * Ends a pin, and all that is kept for it in the same database transaction: so nobody ever reads a part of it, and one that is pinned again
   * begins anew.
   *
   * @param removeKept Begins once nobody adds to what is kept any more.
   */
  async unpin({ serviceId, revisionId }: PinKey, removeKept: (client: ClientBase) => Promise<void>): Promise<void> {
    await inDatabaseTransaction(this.table.manager.connection, async ({ client }) => {
      await client.query('DELETE FROM pinned_revision WHERE service_id = $1 AND revision_id = $2', [serviceId, revisionId]);
      await removeKept(client);
    });
  }

  /** Keeps a pin until the end of the database transaction, which adds to what is kept for it. @returns Whether it is pinned. */
  async hold(client: ClientBase, { serviceId, revisionId }: PinKey): Promise<boolean> {
    const held = await client.query('SELECT FROM pinned_revision WHERE service_id = $1 AND revision_id = $2 FOR KEY SHARE', [
      serviceId,
      revisionId,
    ]);
    return held.rowCount === 1;
  }
}
