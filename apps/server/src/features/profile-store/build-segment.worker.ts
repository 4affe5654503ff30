import { buildSegment, type BuildSegmentTask, type BuiltSegment } from './build-segment.js';
import { codedOutcome, type CodedOutcome } from './coded-outcome.js';
import { mergeSegments, type MergeSegmentsTask } from './merge-segments.js';

/** Runs in a thread of the pool. */
export function run(task: BuildSegmentTask | MergeSegmentsTask): CodedOutcome<BuiltSegment> {
  return codedOutcome(() => (task.want === 'minute' ? buildSegment(task) : mergeSegments(task)));
}
