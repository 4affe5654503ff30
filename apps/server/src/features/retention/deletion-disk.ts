import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { rewritePartition } from '../../platform/database/rewrite-partition.js';
import { HearthError } from '../../platform/http/index.js';
import { Deletions, type DeletionKey } from './deletions.repository.js';

/** Gives back the disk of what an order took away: a deleted row keeps its place until its partition is written again. */
@Injectable()
export class DeletionDisk {
  constructor(
    private readonly dataSource: DataSource,
    private readonly deletions: Deletions,
  ) {}

  /**
   * Of every partition that the order has changed, in this run or one before it.
   *
   * @param stepsBefore - Steps that the run has taken up to here; each partition is one more.
   * @throws {HearthError} `DELETION_BUSY`
   */
  async giveBack(key: DeletionKey, stepsBefore: number): Promise<void> {
    const tables = await this.deletions.changedTables(key);
    for (const table of tables) {
      const rewritten = await rewritePartition(this.dataSource, table);
      if (rewritten === 'busy') throw partitionBusy(table);
      const bytes = rewritten === 'gone' ? 0 : rewritten.bytesBefore - rewritten.bytesAfter;
      await this.deletions.noteRewritten(key, table);
      await this.deletions.addStep(key, stepsBefore + tables.length, { bytes });
    }
  }
}

export function partitionBusy(table: string): HearthError {
  return new HearthError(
    'DELETION_BUSY',
    `${table} is so busy that it could not be swapped: a backup or a long question holds it; it is tried again`,
    { status: 503 },
  );
}
