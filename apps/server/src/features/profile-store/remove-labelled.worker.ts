import type { BuiltSegment } from './build-segment.js';
import { codedOutcome, type CodedOutcome } from './coded-outcome.js';
import { removeLabelled, type RemoveLabelledTask } from './remove-labelled.js';

/** Runs in a thread of the pool. */
export function run(task: RemoveLabelledTask): CodedOutcome<BuiltSegment | undefined> {
  return codedOutcome(() => removeLabelled(task));
}
