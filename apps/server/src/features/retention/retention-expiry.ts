import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { RETENTION_TIERS, type RetentionTier } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import type { TimePartitions } from '../../platform/database/partitions.js';
import { Catalog } from '../catalog/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { LEVELS, SegmentRepository, WindowRepository } from '../profile-store/index.js';
import { RollupWork } from '../rollup/index.js';
import { TransactionWindows } from '../transactions/index.js';
import type { Cutoff } from './retention-tiers.js';
import { Retention } from './retention.js';

/** What names a process may be merged, and go, so much later than it is past. */
const PROCESS_REST_MS: DurationMs = 30 * 86_400_000;
/** Days of one profile type, revision and environment in one database transaction. */
const DAYS_AT_ONCE = 1_000;

/** Forgets what is past the policy of its project. */
@Injectable()
export class RetentionExpiry {
  constructor(
    private readonly dataSource: DataSource,
    private readonly retention: Retention,
    private readonly rollup: RollupWork,
    private readonly windows: WindowRepository,
    private readonly segments: SegmentRepository,
    private readonly transactionWindows: TransactionWindows,
    private readonly processSeries: ProcessSeries,
    private readonly comparisons: ComparisonRepository,
    private readonly catalog: Catalog,
  ) {}

  /** May run twice, and beside itself. What cannot go yet (not merged yet, in use) goes the next time. */
  async expire(nowMs: EpochMs = Date.now()): Promise<void> {
    for (const tier of RETENTION_TIERS) await this.#expire(tier, await this.retention.cutoffs(tier, nowMs));
    for (const { beforeMs, serviceIds } of await this.retention.cutoffs('longest', nowMs))
      await this.catalog.removeProcesses(serviceIds, beforeMs - PROCESS_REST_MS);
  }

  async #expire(tier: RetentionTier, cutoffs: readonly Cutoff[]): Promise<void> {
    switch (tier) {
      case 'minutes':
        for (const { beforeMs, serviceIds } of cutoffs) await this.rollup.seal(LEVELS.hour, beforeMs, serviceIds);
        break;
      case 'hours':
        for (const { beforeMs, serviceIds } of cutoffs) await this.rollup.seal(LEVELS.day, beforeMs, serviceIds);
        break;
      case 'days':
        for (const cutoff of cutoffs) await this.#removeDays(cutoff);
        break;
      case 'transactions':
        await dropPartitions(this.transactionWindows.partitions, cutoffs);
        break;
      case 'series':
        await dropPartitions(this.processSeries.partitions, cutoffs);
        break;
      case 'comparisons':
        for (const { beforeMs, serviceIds } of cutoffs) await this.comparisons.removeBefore(serviceIds, beforeMs);
        break;
    }
  }

  /** Only what has been merged for good: nothing below it is left. */
  async #removeDays(cutoff: Cutoff): Promise<void> {
    for (let removed = DAYS_AT_ONCE; removed === DAYS_AT_ONCE;) {
      removed = await inDatabaseTransaction(this.dataSource, async ({ client }) => {
        const days = await this.windows.removeSealedDays(client, cutoff, DAYS_AT_ONCE);
        for (const day of days) await this.segments.delete(client, LEVELS.day, day);
        return days.length;
      });
    }
  }
}

/** A partition goes when all of it is past, so data lives up to one partition longer than asked. */
async function dropPartitions(partitions: TimePartitions, cutoffs: readonly Cutoff[]): Promise<void> {
  for (const partition of await partitions.list()) {
    const past = cutoffs.filter(({ beforeMs }) => partition.endMs <= beforeMs);
    if (past.length === 0) continue;
    if (past.length === cutoffs.length) await partitions.drop(partition, async () => true);
    else
      await partitions.removeServices(
        partition,
        past.flatMap(({ serviceIds }) => serviceIds),
      );
  }
}
