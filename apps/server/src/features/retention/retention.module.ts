import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '../access/index.js';
import { CatalogModule } from '../catalog/index.js';
import { ComparisonRepository } from '../comparison/index.js';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { ProfileStoreModule } from '../profile-store/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { RetentionPolicies } from './retention-policies.repository.js';
import { RetentionPolicyEntity } from './retention-policy.entity.js';
import { RetentionTiers } from './retention-tiers.js';
import { RetentionWork } from './retention-work.js';
import { RetentionController } from './retention.controller.js';
import { Retention } from './retention.js';

const imports = [
  AccessModule,
  CatalogModule,
  ProcessMetricsModule,
  ProfileStoreModule,
  TransactionsModule,
  TypeOrmModule.forFeature([RetentionPolicyEntity]),
];
const providers = [ComparisonRepository, Retention, RetentionPolicies, RetentionTiers];

/** Role api: policies and estimates. */
@Module({ imports, controllers: [RetentionController], providers })
export class RetentionModule {}

/** Role worker: forgetting. */
@Module({ imports, providers: [...providers, RetentionWork] })
export class RetentionWorkModule {}
