import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { RetentionAmount, RetentionTier } from '@hearth/query-contract';
import type { TimePartitions } from '../../platform/database/partitions.js';
import { ComparisonRepository } from '../comparison/index.js';
import { ProcessSeries } from '../process-metrics/index.js';
import { TransactionWindows } from '../transactions/index.js';

/** What of these services is older goes. */
export interface Cutoff {
  readonly serviceIds: readonly number[];
  readonly beforeMs: EpochMs;
}

/** One kind of stored data, and how it is forgotten. */
export interface Tier {
  /** What a cutoff would remove and leave. */
  estimate(cutoff: Cutoff): Promise<{ stays: RetentionAmount; goes: RetentionAmount }>;
  /** @param cutoffs One for each project that there is. */
  expire(cutoffs: readonly Cutoff[]): Promise<void>;
}

/** Every kind that has a time of its own. */
@Injectable()
export class RetentionTiers {
  readonly all: Readonly<Record<RetentionTier, Tier>>;

  constructor(transactionWindows: TransactionWindows, processSeries: ProcessSeries, comparisons: ComparisonRepository) {
    this.all = {
      transactions: new PartitionedTier(transactionWindows.partitions),
      series: new PartitionedTier(processSeries.partitions),
      comparisons: new ComparisonTier(comparisons),
    };
  }
}

/** A table in partitions by time. A partition goes when all of it is past, so data lives up to one partition longer than asked. */
class PartitionedTier implements Tier {
  readonly #partitions: TimePartitions;

  constructor(partitions: TimePartitions) {
    this.#partitions = partitions;
  }

  async estimate({ serviceIds, beforeMs }: Cutoff): Promise<{ stays: RetentionAmount; goes: RetentionAmount }> {
    const stays = { rows: 0, bytes: 0 };
    const goes = { rows: 0, bytes: 0 };
    for (const partition of await this.#partitions.list()) {
      const share = await this.#partitions.shareOf(partition, serviceIds);
      const side = partition.endMs <= beforeMs ? goes : stays;
      side.rows += share.rows;
      side.bytes += share.bytes;
    }
    return { stays, goes };
  }

  async expire(cutoffs: readonly Cutoff[]): Promise<void> {
    for (const partition of await this.#partitions.list()) {
      const past = cutoffs.filter(({ beforeMs }) => partition.endMs <= beforeMs);
      if (past.length === 0) continue;
      if (past.length === cutoffs.length) {
        await this.#partitions.drop(partition, async () => true);
        continue;
      }
      await this.#partitions.removeServices(
        partition,
        past.flatMap(({ serviceIds }) => serviceIds),
      );
    }
  }
}

class ComparisonTier implements Tier {
  readonly #comparisons: ComparisonRepository;

  constructor(comparisons: ComparisonRepository) {
    this.#comparisons = comparisons;
  }

  async estimate({ serviceIds, beforeMs }: Cutoff): Promise<{ stays: RetentionAmount; goes: RetentionAmount }> {
    const { before, since } = await this.#comparisons.sizeOf(serviceIds, beforeMs);
    return { stays: since, goes: before };
  }

  async expire(cutoffs: readonly Cutoff[]): Promise<void> {
    for (const { serviceIds, beforeMs } of cutoffs) await this.#comparisons.removeBefore(serviceIds, beforeMs);
  }
}
