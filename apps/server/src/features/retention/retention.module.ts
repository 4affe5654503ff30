import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '../access/index.js';
import { CatalogModule } from '../catalog/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { LinesModule } from '../lines/index.js';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { ProfileStoreModule } from '../profile-store/index.js';
import { RollupWorkModule } from '../rollup/index.js';
import { SelectionModule } from '../selection/index.js';
import { SourceMapsModule } from '../source-maps/index.js';
import { StacksModule } from '../stacks/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { DeletionDisk } from './deletion-disk.js';
import { DeletionEntity } from './deletion.entity.js';
import { DeletionOrders } from './deletion-orders.js';
import { DeletionRanges } from './deletion-ranges.js';
import { DeletionRun } from './deletion-run.js';
import { DeletionWork } from './deletion-work.js';
import { DeletionsController } from './deletions.controller.js';
import { Deletions } from './deletions.repository.js';
import { LabelDeletion } from './label-deletion.js';
import { PinKeeper } from './pin-keeper.js';
import { Pins } from './pins.js';
import { PinsController } from './pins.controller.js';
import { PinWork } from './pin-work.js';
import { RangeDeletion } from './range-deletion.js';
import { RetentionPolicies } from './retention-policies.repository.js';
import { RetentionPolicyEntity } from './retention-policy.entity.js';
import { RetentionExpiry } from './retention-expiry.js';
import { RetentionTiers } from './retention-tiers.js';
import { RetentionWork } from './retention-work.js';
import { RetentionController } from './retention.controller.js';
import { Retention } from './retention.js';
import { ServiceDeletion } from './service-deletion.js';

const imports = [
  AccessModule,
  CatalogModule,
  LinesModule,
  ProcessMetricsModule,
  ProfileStoreModule,
  SelectionModule,
  SourceMapsModule,
  StacksModule,
  TransactionsModule,
  TypeOrmModule.forFeature([DeletionEntity, RetentionPolicyEntity]),
];
const providers = [ComparisonRepository, DeletionRanges, Deletions, Pins, Retention, RetentionPolicies, RetentionTiers];

/** Role api: policies, estimates, pins, orders to delete. */
@Module({
  imports,
  controllers: [RetentionController, DeletionsController, PinsController],
  providers: [...providers, DeletionOrders],
})
export class RetentionModule {}

/** Role worker: forgetting, keeping and deleting. */
@Module({
  imports: [...imports, RollupWorkModule],
  providers: [
    ...providers,
    DeletionDisk,
    DeletionRun,
    DeletionWork,
    LabelDeletion,
    PinKeeper,
    PinWork,
    RangeDeletion,
    RetentionExpiry,
    RetentionWork,
    ServiceDeletion,
  ],
})
export class RetentionWorkModule {}
