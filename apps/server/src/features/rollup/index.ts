export { buildRollup } from './build-rollup.job.js';
export type { BuildRollupPayload } from './build-rollup.job.js';
export { Cover } from './cover.js';
export type { CoverQuery, MergedProfiles, MergePool } from './cover.js';
export { RollupModule, RollupWorkModule } from './rollup.module.js';
export { BUILD_AFTER_MS, RollupWork } from './rollup-work.js';
export { SegmentBuilder } from './segment-builder.js';
export type { LabelSetGroups, ProcessGrain, ProcessValues, StepGroups, StepValues } from '../profile-store/index.js';
