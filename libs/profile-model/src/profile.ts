import type { FunctionTable } from './function-table.js';
import type { LabelSet } from './label-set.js';
import type { ProfileType } from './profile-type.js';
import type { StackTable } from './stack-table.js';
import type { DurationMs, EpochMs } from './units.js';

/** Row number in `Profile.labelSets`. */
export type LabelSetIndex = number;

/**
 * What one process did in one time range, for one profile type.
 *
 *     functions   name, package, file            one row per function
 *     stacks      parent, functionRow            one row per distinct stack
 *     labelSets   [[transaction, GET /], ...]    one row per distinct label set
 *     sample*     stack, label set, value, count one row per (stack, label set)
 *
 * Values are whole numbers within +-2^53 in the type's sample unit; times are microseconds. Only imported differences have negative ones.
 */
export interface Profile {
  readonly type: ProfileType;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  /** Length = number of samples, as of the three columns below. The leaf's stack; `NO_PARENT` for a sample without frames. */
  readonly sampleStack: Int32Array;
  /** Row in `labelSets`. */
  readonly sampleLabelSet: Uint32Array;
  /** In the sample unit. */
  readonly sampleValue: Float64Array;
  /** How many raw samples this row sums up; 1 where the source does not tell. */
  readonly sampleCount: Float64Array;
}
