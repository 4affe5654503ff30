import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DurationMs } from '@hearth/profile-model';
import { DataSource } from 'typeorm';
import { rewritePartition } from '../../platform/database/rewrite-partition.js';
import {
  countServiceRows,
  isOfNone,
  listServiceTables,
  removeServiceRows,
  type ServiceTable,
} from '../../platform/database/service-rows.js';
import { Catalog } from '../catalog/index.js';
import { partitionBusy } from './deletion-disk.js';
import { Deletions, type DeletionKey } from './deletions.repository.js';

/** Keeps the record of what was deleted. */
const KEPT_TABLE = 'deletion';

/** Removes everything that a service has, in every table. */
@Injectable()
export class ServiceDeletion {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalog: Catalog,
    private readonly deletions: Deletions,
  ) {}

  /** @throws {HearthError} `DELETION_BUSY` */
  async run(key: DeletionKey, settledMs: DurationMs): Promise<void> {
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
      await this.deletions.restartSteps(key);
      await sleep(settledMs);
    }
  }

  async #removeFrom({ table, isPartition }: ServiceTable, serviceId: number): Promise<{ rows: number; bytes: number }> {
    const rows = await countServiceRows(this.dataSource, table, [serviceId]);
    if (rows === 0) return { rows, bytes: 0 };
    if (!isPartition) return { rows: await removeServiceRows(this.dataSource, table, [serviceId]), bytes: 0 };
    const rewritten = await rewritePartition(this.dataSource, table, isOfNone([serviceId]));
    if (rewritten === 'busy') throw partitionBusy(table);
    return rewritten === 'gone' ? { rows: 0, bytes: 0 } : { rows, bytes: rewritten.bytesBefore - rewritten.bytesAfter };
  }
}
