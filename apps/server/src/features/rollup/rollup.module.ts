import { Module } from '@nestjs/common';
import { ProfileStoreModule } from '../profile-store/index.js';
import { StacksModule } from '../stacks/index.js';
import { Cover } from './cover.js';
import { RollupMetrics } from './rollup-metrics.js';
import { RollupWork } from './rollup-work.js';
import { SegmentBuilder } from './segment-builder.js';

/** Reading: both roles. */
@Module({ imports: [ProfileStoreModule, StacksModule], providers: [Cover], exports: [Cover] })
export class RollupModule {}

/** Building: role worker. */
@Module({ imports: [ProfileStoreModule], providers: [SegmentBuilder, RollupMetrics, RollupWork] })
export class RollupWorkModule {}
