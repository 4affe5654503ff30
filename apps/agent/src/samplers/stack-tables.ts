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
}

/** The functions and stacks of one batch, each once, in the order of first sight: so a parent comes before its children. */
export class StackTables {
  readonly #functions: RawFunction[] = [];
  /** By script, then by name and line: the script's text is hashed once per node, and no key is put together from it. */
  readonly #functionRowOf = new Map<string, Map<string, FunctionIndex>>();
  readonly #stacks = new StackInterner();

  get stackCount(): number {
    return this.#stacks.length;
  }

  /** @param parent - `NO_PARENT` for a stack of one function. */
  stackRow(parent: StackIndex, name: string, scriptName: string, line: number): StackIndex {
    return this.#stacks.rowOf(parent, this.#internFunction(name, scriptName, line));
  }

  stackRowOfFrames(framesRootFirst: readonly RawFunction[]): StackIndex {
    let row: StackIndex = NO_PARENT;
    for (const { name, scriptName, line } of framesRootFirst) row = this.stackRow(row, name, scriptName, line);
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
    };
  }

  stackTable(): StackTable {
    return this.#stacks.table();
  }

  #internFunction(name: string, scriptName: string, line: number): FunctionIndex {
    let ofScript = this.#functionRowOf.get(scriptName);
    if (ofScript === undefined) this.#functionRowOf.set(scriptName, (ofScript = new Map()));
    const key = `${line} ${name}`;
    let row = ofScript.get(key);
    if (row === undefined) {
      row = this.#functions.push({ name, scriptName, line }) - 1;
      ofScript.set(key, row);
    }
    return row;
  }
}
