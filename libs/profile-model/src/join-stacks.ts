import { StackInterner } from './interner.js';
import { NO_PARENT, type StackTable } from './stack-table.js';

/** One of the tables to be joined. */
export interface StacksToJoin {
  readonly stacks: StackTable;
  /** Length as its function table: row in the joined one. */
  readonly functionRow: ArrayLike<number>;
  /** Length `stacks.length`: not 0 for stacks that are wanted. Their callers come along. */
  readonly isWanted: ArrayLike<number>;
}

export interface JoinedStacks {
  /** The wanted stacks of all tables and their callers, each once. */
  readonly stacks: StackTable;
  /** For each table, as long as it: row in `stacks` of each wanted stack and of its callers; of others `NO_PARENT`. */
  readonly rowOf: readonly Int32Array[];
}

/** Joins call trees by (parent, function). */
export function joinStacks(tables: readonly StacksToJoin[]): JoinedStacks {
  const joined = new StackInterner();
  const rowOf = tables.map(({ stacks, functionRow, isWanted }) => {
    const isUsed = new Uint8Array(stacks.length);
    // Parents come before their children: backwards a caller hears of every stack that needs it before its own turn.
    for (let row = stacks.length - 1; row >= 0; row -= 1) {
      if (isWanted[row] !== 0) isUsed[row] = 1;
      const parent = stacks.parent[row]!;
      if (isUsed[row] === 1 && parent !== NO_PARENT) isUsed[parent] = 1;
    }
    const rows = new Int32Array(stacks.length).fill(NO_PARENT);
    for (let row = 0; row < stacks.length; row += 1) {
      if (isUsed[row] === 0) continue;
      const parent = stacks.parent[row]!;
      rows[row] = joined.rowOf(parent === NO_PARENT ? NO_PARENT : rows[parent]!, functionRow[stacks.functionRow[row]!]!);
    }
    return rows;
  });
  return { stacks: joined.table(), rowOf };
}
