import { Injectable } from '@nestjs/common';
import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { RETENTION_TIERS, type RetentionTier } from '@hearth/query-contract';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { inDatabaseTransaction } from '../../platform/database/index.js';
import type { TimePartition, TimePartitions } from '../../platform/database/partitions.js';
import { isOfRevisions } from '../../platform/database/service-rows.js';
import { Catalog, PinnedRevisions, type PinKey } from '../catalog/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { LineRecordings } from '../lines/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { LEVELS, SegmentRepository, WindowRepository } from '../profile-store/index.js';
import { RollupWork } from '../rollup/index.js';
import { MinifiedFiles, SourceMaps } from '../source-maps/index.js';
import { Exemplars, PinnedTransactions, TransactionWindows } from '../transactions/index.js';
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
    private readonly lineRecordings: LineRecordings,
    private readonly exemplars: Exemplars,
    private readonly comparisons: ComparisonRepository,
    private readonly catalog: Catalog,
    private readonly pins: PinnedRevisions,
    private readonly pinnedTransactions: PinnedTransactions,
    private readonly sourceMaps: SourceMaps,
    private readonly minifiedFiles: MinifiedFiles,
  ) {}

  /**
   * May run twice, and beside itself. What cannot go yet (not merged yet, in use) goes the next time. What is past of pinned revisions never goes
   * here: who keeps it takes it away (`PinKeeper`).
   */
  async expire(nowMs: EpochMs = Date.now()): Promise<void> {
    for (const tier of RETENTION_TIERS) await this.#expire(tier, nowMs);
    for (const { beforeMs, serviceIds } of await this.retention.cutoffs('longest', nowMs)) {
      await this.catalog.removeProcesses(serviceIds, beforeMs - PROCESS_REST_MS);
      // Names are given when batches come: of a revision that sends no more nothing needs its maps.
      await this.sourceMaps.removeUnused(serviceIds, beforeMs);
      await this.minifiedFiles.removeBefore(serviceIds, beforeMs);
    }
  }

  async #expire(tier: RetentionTier, nowMs: EpochMs): Promise<void> {
    const cutoffs = await this.retention.cutoffs(tier, nowMs);
    switch (tier) {
      case 'minutes':
        for (const { beforeMs, serviceIds } of cutoffs) await this.rollup.seal(LEVELS.hour, beforeMs, serviceIds);
        break;
      case 'hours':
        for (const { beforeMs, serviceIds } of cutoffs) await this.rollup.seal(LEVELS.day, beforeMs, serviceIds);
        break;
      case 'days':
        for (const cutoff of cutoffs) await this.#removeDays(cutoff);
        // Those of pinned revisions too: they are not needed to compare.
        await dropPartitions(this.lineRecordings.partitions, cutoffs, NO_ROWS);
        break;
      case 'transactions':
        await this.#dropTransactions(nowMs);
        // Those of pinned revisions too: they are not needed to compare.
        await dropPartitions(this.exemplars.partitions, cutoffs, NO_ROWS);
        break;
      case 'series':
        await dropPartitions(this.processSeries.partitions, cutoffs, NO_ROWS);
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
        const keptRevisionIds = (await this.pins.holdAll(client)).map(({ revisionId }) => revisionId);
        const days = await this.windows.removeSealedDays(client, cutoff, keptRevisionIds, DAYS_AT_ONCE);
        for (const day of days) await this.segments.delete(client, LEVELS.day, day);
        return days.length;
      });
    }
  }

  /** But those of pinned revisions. */
  async #dropTransactions(nowMs: EpochMs): Promise<void> {
    const pins = await this.pins.listAll();
    const cutoffs = await this.retention.transactionCutoffs(nowMs, new Set(pins.map(({ serviceId }) => serviceId)));
    const areIn = (client: ClientBase, of: readonly PinKey[], { startMs, endMs }: TimePartition) =>
      this.pinnedTransactions.hasMinutes(client, of, { fromMs: startMs, untilMs: endMs });
    await dropPartitions(this.transactionWindows.partitions, cutoffs, {
      condition: isOfRevisions(pins.map(({ revisionId }) => revisionId)),
      seemIn: (partition) => inDatabaseTransaction(this.dataSource, ({ client }) => areIn(client, pins, partition)),
      areIn: async (client, partition) => areIn(client, await this.pins.holdAll(client), partition),
    });
  }
}

/** Rows that stay although they are past. */
interface KeptRows {
  readonly condition: string;
  /** Looks without keeping anybody from the table: where they are in it, only the others go. */
  seemIn(partition: TimePartition): Promise<boolean>;
  /** For `TimePartitions.drop`: asks again. */
  areIn(client: ClientBase, partition: TimePartition): Promise<boolean>;
}
const NO_ROWS: KeptRows = { condition: 'false', seemIn: async () => false, areIn: async () => false };

/** A partition goes when all of it is past, so data lives up to one partition longer than asked. */
async function dropPartitions(partitions: TimePartitions, cutoffs: readonly Cutoff[], kept: KeptRows): Promise<void> {
  for (const partition of await partitions.list()) {
    const past = cutoffs.filter(({ beforeMs }) => partition.endMs <= beforeMs);
    if (past.length === 0) continue;
    const serviceIds = past.flatMap((cutoff) => cutoff.serviceIds);
    if (past.length < cutoffs.length || (await kept.seemIn(partition)))
      await partitions.removeServices(partition, serviceIds, kept.condition);
    else await partitions.drop(partition, async (client) => !(await kept.areIn(client, partition)));
  }
}
