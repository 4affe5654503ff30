import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { ProfileStoreModule } from '../profile-store/index.js';
import { StacksModule } from '../stacks/index.js';
import { AnswerCache } from './answer-cache.js';
import { Cover } from './cover.js';
import { LabelRemover } from './label-remover.js';
import { RollupMetrics } from './rollup-metrics.js';
import { RollupWork } from './rollup-work.js';
import { SegmentBuilder } from './segment-builder.js';
import { UpperBuilder } from './upper-builder.js';

/** Of one process. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Reading: both roles. */
@Module({
  imports: [ProfileStoreModule, StacksModule],
  providers: [Cover, { provide: AnswerCache, useFactory: () => new AnswerCache(MAX_ANSWER_BYTES) }],
  exports: [Cover],
})
export class RollupModule {}

/** Building: role worker. */
@Module({
  imports: [ProfileStoreModule, CatalogModule],
  providers: [LabelRemover, SegmentBuilder, UpperBuilder, RollupMetrics, RollupWork],
  exports: [LabelRemover, RollupWork, UpperBuilder],
})
export class RollupWorkModule {}
