export { AnswerCache } from './answer-cache.js';
export { buildRollup } from './build-rollup.job.js';
export { Cover } from './cover.js';
export type { CoverQuery } from './cover.js';
export { LabelRemover } from './label-remover.js';
export { RollupModule, RollupWorkModule } from './rollup.module.js';
export { RollupWork } from './rollup-work.js';
export { SegmentBuilder } from './segment-builder.js';
export { UpperBuilder } from './upper-builder.js';
