import type { FunctionTable, StackTable } from '@hearth/profile-model';
import type { CanonicalProfile } from './canonical-batch.js';
import { recordedLines, type RecordedLines } from './recorded-lines.js';

export interface RecordedLinesTask {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly profiles: readonly CanonicalProfile[];
  /** The line that ran, of each row of `functions`. */
  readonly line: Uint32Array;
}

/** In a thread: every profile goes through all its stacks. */
export function run({ functions, stacks, profiles, line }: RecordedLinesTask): RecordedLines {
  return recordedLines({ functions, stacks }, profiles, line);
}
