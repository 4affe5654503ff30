import { FunctionInterner, type FunctionTable } from '@hearth/profile-model';
import { LoopTurns } from './loop-turns.js';

export interface JoinedFunctions {
  /** Every function of all tables once. */
  readonly functions: FunctionTable;
  /** For each table, as long as it: row in `functions`. Of a single table empty: its rows are those. */
  readonly functionRowOf: readonly Uint32Array[];
}

/** A dictionary gives the same table until it gets new functions: until then the last join that begins with it holds. */
const lastJoins = new WeakMap<
  FunctionTable,
  { readonly tables: readonly FunctionTable[]; readonly joined: Promise<JoinedFunctions> }
>();
const FUNCTIONS_OF_A_PIECE = 2 ** 12;

/** One table for the functions of several dictionaries. Tens of milliseconds for tens of thousands, in pieces, and nothing when asked again. */
export async function joinFunctions(tables: readonly FunctionTable[]): Promise<JoinedFunctions> {
  const first = tables[0];
  if (first !== undefined && tables.length === 1) return { functions: first, functionRowOf: [new Uint32Array()] };
  const last = first && lastJoins.get(first);
  if (last !== undefined && last.tables.length === tables.length && last.tables.every((table, at) => table === tables[at]))
    return last.joined;
  const joined = join(tables);
  if (first !== undefined) lastJoins.set(first, { tables, joined });
  return joined;
}

async function join(tables: readonly FunctionTable[]): Promise<JoinedFunctions> {
  const functions = new FunctionInterner();
  const turns = new LoopTurns();
  const functionRowOf: Uint32Array[] = [];
  for (const { length, name, package: packageName, file } of tables) {
    const rows = new Uint32Array(length);
    for (let row = 0; row < length; row += 1) {
      rows[row] = functions.rowOf({ name: name[row]!, package: packageName[row]!, file: file[row]! });
      if (row % FUNCTIONS_OF_A_PIECE === 0) await turns.rest();
    }
    functionRowOf.push(rows);
  }
  return { functions: functions.table(), functionRowOf };
}
