import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import { JobRunner, Queues } from '../../platform/queue/index.js';
import { PinnedRevisions } from '../catalog/index.js';
import { PinnedTotals } from '../profile-store/index.js';
import { PinnedTransactions } from '../transactions/index.js';
import { keepPinned } from './keep-pinned.job.js';
import { PinKeeper } from './pin-keeper.js';
import { Retention } from './retention.js';

/** What the worker role does for pins: looks for what of them is past, and keeps it. The tables are the memory, the queue only spreads the work. */
@Injectable()
export class PinWork {
  constructor(
    private readonly pins: PinnedRevisions,
    private readonly retention: Retention,
    private readonly totals: PinnedTotals,
    private readonly transactions: PinnedTransactions,
    private readonly queues: Queues,
    keeper: PinKeeper,
    jobs: JobRunner,
  ) {
    jobs.handle(keepPinned, (payload) => keeper.keep(payload));
  }

  /** Two workers may both: the ids are the same. */
  async queuePast(nowMs: EpochMs): Promise<void> {
    const pins = await this.pins.listAll();
    if (pins.length === 0) return;
    const [days, transactions] = [
      await this.retention.cutoffs('days', nowMs),
      await this.retention.transactionCutoffs(nowMs, new Set(pins.map(({ serviceId }) => serviceId))),
    ];
    for (const { serviceId, revisionId } of pins) {
      const isOf = ({ serviceIds }: { readonly serviceIds: readonly number[] }) => serviceIds.includes(serviceId);
      const [daysBeforeMs, transactionsBeforeMs] = [days.find(isOf)?.beforeMs, transactions.find(isOf)?.beforeMs];
      // Of a service that is being deleted.
      if (daysBeforeMs === undefined || transactionsBeforeMs === undefined) continue;
      await this.queues.add(keepPinned, { serviceId, revisionId, daysBeforeMs, transactionsBeforeMs });
    }
  }

  /** Disk of what was kept for pins that have ended; where none has ended since the last look it reads no row. */
  async returnRoom(): Promise<void> {
    for (const { partitions } of [this.totals, this.transactions]) await partitions.returnRoom();
  }
}
