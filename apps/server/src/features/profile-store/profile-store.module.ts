import { Module } from '@nestjs/common';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { BlockRepository } from './block.repository.js';
import { ProfileStore } from './profile-store.js';
import { ReceiptRepository } from './receipt.repository.js';
import { SegmentRepository } from './segment.repository.js';
import { SnapshotRepository } from './snapshot.repository.js';
import { WindowRepository } from './window.repository.js';

@Module({
  imports: [TransactionsModule, ProcessMetricsModule],
  providers: [ReceiptRepository, WindowRepository, BlockRepository, SegmentRepository, SnapshotRepository, ProfileStore],
  exports: [ProfileStore, WindowRepository, BlockRepository, SegmentRepository, SnapshotRepository],
})
export class ProfileStoreModule {}
