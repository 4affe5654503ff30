import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LimitHitEntity } from './limit-hit.entity.js';
import { LimitHits } from './limit-hits.repository.js';
import { LimitsController } from './limits.controller.js';
import { Limits } from './limits.js';
import { ProjectQuotaEntity } from './project-quota.entity.js';
import { Quotas } from './quotas.repository.js';

@Module({
  imports: [TypeOrmModule.forFeature([ProjectQuotaEntity, LimitHitEntity])],
  providers: [Quotas, LimitHits, Limits],
  exports: [Limits],
})
export class LimitsModule {}

/** The routes, for the api role. */
@Module({ imports: [LimitsModule], controllers: [LimitsController] })
export class LimitsApiModule {}
