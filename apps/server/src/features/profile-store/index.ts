export { assertStorable } from './batch-to-store.js';
export type { BatchToStore, StoreOutcome } from './batch-to-store.js';
export { BlockRepository } from './block.repository.js';
export { buildSegment } from './build-segment.js';
export type { BuildSegmentTask, BuiltSegment } from './build-segment.js';
export { codedOutcome, resultOf } from './coded-outcome.js';
export type { CodedOutcome } from './coded-outcome.js';
export { mergeStoredProfiles } from './merge-stored-profiles.js';
export type {
  LabelSetGroups,
  MergedValues,
  MergeTask,
  ProcessGrain,
  ProcessValues,
  StepGroups,
  StepValues,
} from './merge-stored-profiles.js';
export { NO_STACK } from './profile-rows.js';
export { ProfileStore } from './profile-store.js';
export { ProfileStoreModule } from './profile-store.module.js';
export { ReceiptRepository, UPLOAD_RECEIPT_LIFE_MS } from './receipt.repository.js';
export { SegmentRepository } from './segment.repository.js';
export { queryCancelled, SnapshotRepository } from './snapshot.repository.js';
export type { SnapshotOptions } from './snapshot.repository.js';
export { StoreError } from './store-error.js';
export type { StoredProfiles, StoredQuery } from './stored-query.js';
export { WINDOW_MS, windowStart, windowText } from './window.js';
export type { WindowKey } from './window.js';
export { WindowRepository } from './window.repository.js';
