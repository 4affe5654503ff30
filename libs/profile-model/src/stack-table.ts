import { ProfileError } from './errors.js';

/** Row number in a `StackTable`. */
export type StackIndex = number;
/** Row number in a `FunctionTable`. */
export type FunctionIndex = number;

/** Parent of a stack that has only one frame. */
export const NO_PARENT = -1;

/**
 * Call stacks as a prefix tree: one row per distinct stack, each row naming its
 * last function and the stack that called it. Stacks that start alike share rows.
 *
 *     row       0      1         2
 *     parent    -1     0         0
 *     function  main   readFile  parse      rows 1 and 2 are main→readFile, main→parse
 *
 * A parent always comes before its children, so one forward pass can sum values
 * from root to leaf and one backward pass from leaf to root.
 */
export interface StackTable {
  readonly length: number;
  /** Length `length` or more. `NO_PARENT` for a root, otherwise less than its own row. */
  readonly parent: Int32Array;
  /** Length `length` or more. Row in the function table. */
  readonly functionRow: Uint32Array;
}

/** The functions of one stack, the caller before the callee. */
export function functionsRootFirst(stacks: StackTable, stackIndex: StackIndex): FunctionIndex[] {
  const functions: FunctionIndex[] = [];
  for (let row = stackIndex; row !== NO_PARENT; row = stacks.parent[row]!) {
    functions.push(stacks.functionRow[row]!);
  }
  return functions.reverse();
}

/**
 * Check that parents come before children and that every function exists.
 *
 * @throws {ProfileError} `PROFILE_COLUMN_LENGTH`, `PROFILE_STACK_ORDER`, `PROFILE_STACK_FUNCTION`
 */
export function assertStackTable(stacks: StackTable, functionCount: number): void {
  if (stacks.parent.length < stacks.length || stacks.functionRow.length < stacks.length) {
    throw new ProfileError(
      'PROFILE_COLUMN_LENGTH',
      `stack table: length ${stacks.length}, parent ${stacks.parent.length}, function ${stacks.functionRow.length}`,
    );
  }
  for (let row = 0; row < stacks.length; row += 1) {
    const parent = stacks.parent[row]!;
    if (parent < NO_PARENT || parent >= row) {
      throw new ProfileError('PROFILE_STACK_ORDER', `stack ${row} has parent ${parent}`);
    }
    if (stacks.functionRow[row]! >= functionCount) {
      throw new ProfileError(
        'PROFILE_STACK_FUNCTION',
        `stack ${row} names function ${stacks.functionRow[row]} of ${functionCount}`,
      );
    }
  }
}
