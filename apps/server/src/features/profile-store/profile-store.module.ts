import { Module } from '@nestjs/common';
import { LinesModule } from '../lines/index.js';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { StacksModule } from '../stacks/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { BlockRepository } from './block.repository.js';
import { ErasureRepository } from './erasure.repository.js';
import { PinnedTotals } from './pinned-totals.repository.js';
import { ProfileStore } from './profile-store.js';
import { ReceiptRepository } from './receipt.repository.js';
import { SegmentRepository } from './segment.repository.js';
import { SnapshotRepository } from './snapshot.repository.js';
import { UnusedEpochs } from './unused-epochs.js';
import { WindowRepository } from './window.repository.js';

@Module({
  imports: [LinesModule, StacksModule, TransactionsModule, ProcessMetricsModule],
  providers: [
    ReceiptRepository,
    WindowRepository,
    BlockRepository,
    ErasureRepository,
    SegmentRepository,
    SnapshotRepository,
    PinnedTotals,
    ProfileStore,
    UnusedEpochs,
  ],
  exports: [
    ProfileStore,
    ReceiptRepository,
    WindowRepository,
    BlockRepository,
    ErasureRepository,
    SegmentRepository,
    SnapshotRepository,
    PinnedTotals,
    UnusedEpochs,
  ],
})
export class ProfileStoreModule {}
