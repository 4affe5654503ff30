import type { FunctionKey, FunctionTable, StackTable } from '@hearth/profile-model';
import { ABSENT, FunctionIndex } from './function-index.js';
import { functionKey, stackPair, type StackDictionary, type StackPage } from './stack-dictionary.js';

/**
 * Functions and stacks that are not committed yet, numbered on from the end of the dictionary. Kept apart from it, so
 * that a writer who finds that others were faster rebases a handful of rows instead of copying the dictionary.
 *
 * Valid while the dictionary does not grow; then `rebase` makes the next one.
 */
export class StackOverlay {
  readonly #dictionary: StackDictionary;
  readonly #firstFunction: number;
  readonly #firstStack: number;
  readonly #functions: FunctionKey[] = [];
  readonly #functionRowOf = new FunctionIndex();
  readonly #parent: number[] = [];
  readonly #functionRow: number[] = [];
  readonly #stackRowOf = new Map<number, number>();

  constructor(dictionary: StackDictionary) {
    this.#dictionary = dictionary;
    this.#firstFunction = dictionary.functionCount;
    this.#firstStack = dictionary.stackCount;
  }

  get hasNew(): boolean {
    return this.#parent.length > 0;
  }

  /** What is new, as the next page of the dictionary. */
  page(): StackPage {
    return {
      firstFunction: this.#firstFunction,
      firstStack: this.#firstStack,
      functions: this.#functions,
      parent: this.#parent,
      functionRow: this.#functionRow,
    };
  }

  /** The row of each local stack; new ones get provisional rows. */
  addAll(functions: FunctionTable, stacks: StackTable): Int32Array {
    const functionRows = new Int32Array(functions.length).fill(ABSENT); // asked for when a stack uses it: an unused function is not kept
    const rows = new Int32Array(stacks.length);
    for (let row = 0; row < stacks.length; row += 1) {
      const local = stacks.functionRow[row]!;
      if (functionRows[local] === ABSENT) functionRows[local] = this.#functionRowFor(functionKey(functions, local));
      const parent = stacks.parent[row]!;
      rows[row] = this.#stackRowFor(parent < 0 ? parent : rows[parent]!, functionRows[local]!);
    }
    return rows;
  }

  /**
   * The same rows over the dictionary as it is now.
   *
   * @returns `rowOf` gives the new row of a row of this overlay; committed rows stay.
   */
  rebase(): { overlay: StackOverlay; rowOf: (row: number) => number } {
    const overlay = new StackOverlay(this.#dictionary);
    const moved = new Int32Array(this.#parent.length);
    const rowOf = (row: number) => (row < this.#firstStack ? row : moved[row - this.#firstStack]!);
    const functionRowOf = (row: number) =>
      row < this.#firstFunction ? row : overlay.#functionRowFor(this.#functions[row - this.#firstFunction]!);
    // Parents first: each is moved before it is asked for.
    for (let at = 0; at < moved.length; at += 1)
      moved[at] = overlay.#stackRowFor(rowOf(this.#parent[at]!), functionRowOf(this.#functionRow[at]!));
    return { overlay, rowOf };
  }

  #functionRowFor(key: FunctionKey): number {
    const committed = this.#dictionary.functionRow(key);
    if (committed !== ABSENT) return committed;
    const known = this.#functionRowOf.row(key);
    if (known !== ABSENT) return known;
    const row = this.#firstFunction + this.#functions.push(key) - 1;
    this.#functionRowOf.set(key, row);
    return row;
  }

  #stackRowFor(parent: number, functionRow: number): number {
    if (parent < this.#firstStack && functionRow < this.#firstFunction) {
      const committed = this.#dictionary.stackRow(parent, functionRow);
      if (committed !== ABSENT) return committed;
    }
    const pair = stackPair(parent, functionRow);
    const known = this.#stackRowOf.get(pair);
    if (known !== undefined) return known;
    const row = this.#firstStack + this.#parent.push(parent) - 1;
    this.#functionRow.push(functionRow);
    this.#stackRowOf.set(pair, row);
    return row;
  }
}
