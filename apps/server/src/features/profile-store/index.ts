export { assertStorable } from './batch-to-store.js';
export type { BatchToStore, StoreOutcome } from './batch-to-store.js';
export { BlockRepository } from './block.repository.js';
export type { BuildSegmentTask, BuiltSegment } from './build-segment.js';
export { resultOf } from './coded-outcome.js';
export type { CodedOutcome } from './coded-outcome.js';
export { ErasureRepository } from './erasure.repository.js';
export { LEVELS } from './level.js';
export type { Level, LevelName, UpperLevel } from './level.js';
export type { MergeSegmentsTask } from './merge-segments.js';
export type {
  EpochStacks,
  LabelSetGroups,
  MergedValues,
  MergeTask,
  ProcessValues,
  StepGroups,
  StepValues,
} from './merge-stored-profiles.js';
export { PinnedTotals } from './pinned-totals.repository.js';
export type { KeptDay } from './pinned-totals.repository.js';
export type { Labelled, RemoveFromDetailTask, RemoveLabelledTask } from './remove-labelled.js';
export { NO_STACK } from './profile-rows.js';
export { ProfileStore } from './profile-store.js';
export { ProfileStoreModule } from './profile-store.module.js';
export { ReceiptRepository, UPLOAD_RECEIPT_LIFE_MS } from './receipt.repository.js';
export type { RepointTask } from './repoint-detail.js';
export { EMPTY_DETAIL } from './segment-codec.js';
export { SegmentRepository } from './segment.repository.js';
export { queryCancelled, SnapshotRepository } from './snapshot.repository.js';
export type { Snapshot, SnapshotOptions } from './snapshot.repository.js';
export { StoreError } from './store-error.js';
export type { StoredQuery, WindowSelection } from './stored-query.js';
export { DAY_MS, HOUR_MS, keyAt, WINDOW_MS, windowStart, windowText } from './window.js';
export type { WindowKey } from './window.js';
export { UnusedEpochs } from './unused-epochs.js';
export { WindowRepository } from './window.repository.js';
export type { WindowState } from './window.repository.js';
