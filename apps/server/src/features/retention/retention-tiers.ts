import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { RetentionAmount, RetentionTier } from '@hearth/query-contract';
import { SAMPLED_PAGES, type TimePartitions } from '../../platform/database/partitions.js';
import { ComparisonRepository } from '../comparison/index.js';
import { LineRecordings } from '../lines/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { SegmentRepository } from '../profile-store/index.js';
import { Exemplars, TransactionWindows } from '../transactions/index.js';

/** What of these services is older is past. */
export interface Cutoff {
  readonly serviceIds: readonly number[];
  readonly beforeMs: EpochMs;
}

export interface Split {
  readonly stays: RetentionAmount;
  readonly goes: RetentionAmount;
}

/** What is stored of each tier. */
@Injectable()
export class RetentionTiers {
  constructor(
    private readonly segments: SegmentRepository,
    private readonly transactionWindows: TransactionWindows,
    private readonly processSeries: ProcessSeries,
    private readonly lineRecordings: LineRecordings,
    private readonly exemplars: Exemplars,
    private readonly comparisons: ComparisonRepository,
  ) {}

  /** What a cutoff would remove and leave. */
  async split(tier: RetentionTier, cutoff: Cutoff): Promise<Split> {
    switch (tier) {
      case 'minutes':
        return splitRows(this.segments.partitions.minute, cutoff);
      case 'hours':
        return splitRows(this.segments.partitions.hour, cutoff);
      case 'days':
        return sumOf([
          await splitRows(this.segments.partitions.day, cutoff),
          await splitPartitions(this.lineRecordings.partitions, cutoff),
        ]);
      case 'transactions':
        return sumOf([
          await splitPartitions(this.transactionWindows.partitions, cutoff),
          await splitPartitions(this.exemplars.partitions, cutoff),
        ]);
      case 'series':
        return splitPartitions(this.processSeries.partitions, cutoff);
      case 'comparisons': {
        const { before, since } = await this.comparisons.sizeOf(cutoff.serviceIds, cutoff.beforeMs);
        return { goes: before, stays: since };
      }
    }
  }
}

/** So that a question about a year reads no more than one about a day. */
const pagesOfEach = (all: readonly unknown[]) => Math.max(MIN_SAMPLED_PAGES, Math.floor(SAMPLED_PAGES / all.length));
/** Fewer would miss a service with a small part of a partition. */
const MIN_SAMPLED_PAGES = 50;

/** Of tables whose rows go one by one. */
export async function splitRows(tables: readonly TimePartitions[], { serviceIds, beforeMs }: Cutoff): Promise<Split> {
  const split = { stays: { rows: 0, bytes: 0 }, goes: { rows: 0, bytes: 0 } };
  for (const partitions of tables) {
    const all = await partitions.list();
    for (const partition of all) {
      const { rows, bytes, before } = await partitions.shareOf(partition, serviceIds, beforeMs, pagesOfEach(all));
      split.goes.rows += before.rows;
      split.goes.bytes += before.bytes;
      split.stays.rows += rows - before.rows;
      split.stays.bytes += bytes - before.bytes;
    }
  }
  return split;
}

function sumOf(splits: readonly Split[]): Split {
  const side = (of: keyof Split): RetentionAmount => ({
    rows: splits.reduce((sum, split) => sum + split[of].rows, 0),
    bytes: splits.reduce((sum, split) => sum + split[of].bytes, 0),
  });
  return { stays: side('stays'), goes: side('goes') };
}

/** Of a table whose partitions go whole. */
async function splitPartitions(partitions: TimePartitions, { serviceIds, beforeMs }: Cutoff): Promise<Split> {
  const split = { stays: { rows: 0, bytes: 0 }, goes: { rows: 0, bytes: 0 } };
  const all = await partitions.list();
  for (const partition of all) {
    const { rows, bytes } = await partitions.shareOf(partition, serviceIds, 0, pagesOfEach(all));
    const side = partition.endMs <= beforeMs ? split.goes : split.stays;
    side.rows += rows;
    side.bytes += bytes;
  }
  return split;
}
