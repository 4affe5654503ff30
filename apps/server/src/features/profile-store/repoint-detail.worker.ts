import { codedOutcome, type CodedOutcome } from './coded-outcome.js';
import { repointDetail, stackIdsOf, type RepointTask } from './repoint-detail.js';

/** Runs in a thread of the pool. */
export function run(task: RepointTask): CodedOutcome<Int32Array | Uint8Array> {
  return codedOutcome(() => (task.want === 'stack-ids' ? stackIdsOf(task.detail) : repointDetail(task)));
}
