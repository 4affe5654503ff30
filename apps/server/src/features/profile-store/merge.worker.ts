import {
  mergeStoredProfiles,
  type MergedValues,
  type MergeTask,
  type ProcessValues,
  type StepValues,
} from './merge-stored-profiles.js';
import { codedOutcome, type CodedOutcome } from './coded-outcome.js';

/** Runs in a thread of the pool. */
export function run(task: MergeTask): CodedOutcome<MergedValues | StepValues | ProcessValues> {
  return codedOutcome(() => mergeStoredProfiles(task));
}
