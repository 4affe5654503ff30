import { buildSegment, type BuildSegmentTask, type BuiltSegment } from './build-segment.js';
import { codedOutcome, type CodedOutcome } from './coded-outcome.js';

/** Runs in a thread of the pool. */
export function run(task: BuildSegmentTask): CodedOutcome<BuiltSegment> {
  return codedOutcome(() => buildSegment(task));
}
