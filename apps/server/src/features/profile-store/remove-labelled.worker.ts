import type { BuiltSegment } from './build-segment.js';
import { codedOutcome, type CodedOutcome } from './coded-outcome.js';
import { removeFromDetail, removeLabelled, type RemoveFromDetailTask, type RemoveLabelledTask } from './remove-labelled.js';

/** Runs in a thread of the pool. */
export function run(task: RemoveLabelledTask | RemoveFromDetailTask): CodedOutcome<BuiltSegment | Uint8Array | undefined> {
  return codedOutcome<BuiltSegment | Uint8Array | undefined>(() =>
    task.want === 'detail' ? removeFromDetail(task) : removeLabelled(task),
  );
}
