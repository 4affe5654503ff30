import {
  NO_PARENT,
  StackInterner,
  functionsRootFirst,
  type FunctionIndex,
  type StackIndex,
  type StackTable,
} from '@hearth/profile-model';
import type { RawFunctionTable } from '@hearth/wire-format';

/** A function as V8 reports it. */
export interface RawFunction {
  readonly name: string;
  readonly scriptName: string;
  /** Of the definition, from 1; 0 is unknown. */
  readonly line: number;
  /** In its line, from 1; 0, or absent, is unknown. */
  readonly column?: number;
}

/** The functions and stacks of one batch, each once, in the order of first sight: so a parent comes before its children. */
export class StackTables {
  readonly #functions: Required<RawFunction>[] = [];
  /** By script, then by name, line and column: the script's text is hashed once per node, and no key is put together from it. */
  readonly #functionRowOf = new Map<string, Map<string, FunctionIndex>>();
  readonly #stacks = new StackInterner();

  get stackCount(): number {
    return this.#stacks.length;
  }

  /** @param parent - `NO_PARENT` for a stack of one function. */
  stackRow(parent: StackIndex, name: string, scriptName: string, line: number, column = 0): StackIndex {
    return this.#stacks.rowOf(parent, this.#internFunction(name, scriptName, line, column));
  }

  stackRowOfFrames(framesRootFirst: readonly RawFunction[]): StackIndex {
    let row: StackIndex = NO_PARENT;
    for (const { name, scriptName, line, column } of framesRootFirst) row = this.stackRow(row, name, scriptName, line, column);
    return row;
  }

  /** The frames of several stacks; takes a snapshot, so ask for all at once. */
  framesRootFirst(stackRows: readonly StackIndex[]): RawFunction[][] {
    if (stackRows.length === 0) return [];
    const stacks = this.#stacks.table();
    return stackRows.map((stackRow) => functionsRootFirst(stacks, stackRow).map((functionRow) => this.#functions[functionRow]!));
  }

  functionTable(): RawFunctionTable {
    return {
      length: this.#functions.length,
      name: this.#functions.map(({ name }) => name),
      scriptName: this.#functions.map(({ scriptName }) => scriptName),
      line: Uint32Array.from(this.#functions, ({ line }) => line),
      column: Uint32Array.from(this.#functions, ({ column }) => column),
    };
  }

  stackTable(): StackTable {
    return this.#stacks.table();
  }

  #internFunction(name: string, scriptName: string, line: number, column: number): FunctionIndex {
    let ofScript = this.#functionRowOf.get(scriptName);
    if (ofScript === undefined) this.#functionRowOf.set(scriptName, (ofScript = new Map()));
    const key = `${line} ${column} ${name}`;
    let row = ofScript.get(key);
    if (row === undefined) {
      row = this.#functions.push({ name, scriptName, line, column }) - 1;
      ofScript.set(key, row);
    }
    return row;
  }
}
