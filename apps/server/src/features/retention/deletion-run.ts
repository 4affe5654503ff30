import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';
import { unlessLocked } from '../../platform/database/advisory-lock.js';
import { rewritePartition } from '../../platform/database/rewrite-partition.js';
import {
  countServiceRows,
  isOfNone,
  listServiceTables,
  removeServiceRows,
  type ServiceTable,
} from '../../platform/database/service-rows.js';
import { Catalog } from '../catalog/index.js';
import { Deletions, type DeletionKey } from './deletions.repository.js';

/** Of advisory locks, one for each order: one worker at a time. */
const DELETION_LOCK = 404_004;
/** A batch that was on its way when its service went may still be stored. None takes this long. */
const SETTLED_MS: DurationMs = 15_000;
/** Keeps the record of what was deleted. */
const KEPT_TABLE = 'deletion';

/** Carries out orders to delete. */
@Injectable()
export class DeletionRun {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalog: Catalog,
    private readonly deletions: Deletions,
  ) {}

  /**
   * Removes everything that a service has, in every table, and writes the partitions it was in again. Begins anew when it was killed: what is
   * gone is found gone.
   *
   * @throws if a partition is so busy that it could not be swapped: run it again
   */
  async run(key: DeletionKey, settledMs = SETTLED_MS): Promise<void> {
    await unlessLocked(this.dataSource, { kind: DELETION_LOCK, of: String(key.id) }, async () => {
      const order = await this.deletions.find(key);
      if (order === null || order.status === 'done') return;
      await this.deletions.begin(key);
      await this.#removeService(key, settledMs);
      await this.deletions.finish(key);
    });
  }

  async #removeService(key: DeletionKey, settledMs: DurationMs): Promise<void> {
    // From here on nobody finds it, and nobody can store for it.
    await this.catalog.removeService(key.serviceId);
    const goneAtMs = Date.now();
    for (;;) {
      // A pass that begins once everything under way has settled, and finds nothing, is the last.
      const isLast = Date.now() >= goneAtMs + settledMs;
      const tables = (await listServiceTables(this.dataSource)).filter(({ table }) => table !== KEPT_TABLE);
      let found = 0;
      for (const table of tables) {
        const removed = await this.#removeFrom(table, key.serviceId);
        await this.deletions.addStep(key, tables.length, removed);
        found += removed.rows;
      }
      if (isLast && found === 0) return;
      await this.deletions.begin(key);
      await sleep(settledMs);
    }
  }

  async #removeFrom({ table, isPartition }: ServiceTable, serviceId: number): Promise<{ rows: number; bytes: number }> {
    const rows = await countServiceRows(this.dataSource, table, [serviceId]);
    if (rows === 0) return { rows, bytes: 0 };
    if (!isPartition) return { rows: await removeServiceRows(this.dataSource, table, [serviceId]), bytes: 0 };
    const rewritten = await rewritePartition(this.dataSource, table, isOfNone([serviceId]));
    if (rewritten === 'busy') throw new Error(`${table} is so busy that it could not be swapped`);
    return rewritten === 'gone' ? { rows: 0, bytes: 0 } : { rows, bytes: rewritten.bytesBefore - rewritten.bytesAfter };
  }
}
