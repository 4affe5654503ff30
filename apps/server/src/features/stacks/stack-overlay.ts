import { PairInterner, type FunctionKey, type FunctionTable, type StackTable } from '@hearth/profile-model';
import { ABSENT, FunctionIndex } from './function-index.js';
import { LoopTurns, ROWS_OF_A_PIECE } from './loop-turns.js';
import { functionKey, type StackDictionary, type StackPage } from './stack-dictionary.js';

/** Of one page: what it holds is taken in at once, and the event loop waits for a dozen milliseconds at most. */
const MAX_PAGE_STACKS = 2 ** 14;
const MAX_PAGE_FUNCTIONS = 2 ** 12;
const MAX_PAGE_NAME_LENGTH = 2 ** 20;

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
  /** (parent, function row), both counted with the committed ones. */
  readonly #stacks = new PairInterner();

  constructor(dictionary: StackDictionary) {
    this.#dictionary = dictionary;
    this.#firstFunction = dictionary.functionCount;
    this.#firstStack = dictionary.stackCount;
  }

  get hasNew(): boolean {
    return this.#stacks.length > 0;
  }
  get functionCount(): number {
    return this.#functions.length;
  }
  get stackCount(): number {
    return this.#stacks.length;
  }

  /** What is new, as the next pages of the dictionary. */
  pages(): StackPage[] {
    const { first: parent, second: functionRow } = this.#stacks.columns();
    const pages: StackPage[] = [];
    for (let [firstFunction, firstStack] = [0, 0]; firstStack < parent.length;) {
      let [endFunction, endStack, nameLength] = [firstFunction, firstStack, 0];
      for (; endStack < parent.length && endStack - firstStack < MAX_PAGE_STACKS; endStack += 1) {
        // Functions are numbered in the order in which stacks first use them: a stack brings none or the next.
        if (functionRow[endStack] !== this.#firstFunction + endFunction) continue;
        const { name, package: packageName, file } = this.#functions[endFunction]!;
        nameLength += name.length + packageName.length + file.length;
        const count = endFunction - firstFunction;
        if (count > 0 && (count === MAX_PAGE_FUNCTIONS || nameLength > MAX_PAGE_NAME_LENGTH)) break;
        endFunction += 1;
      }
      pages.push({
        firstFunction: this.#firstFunction + firstFunction,
        firstStack: this.#firstStack + firstStack,
        functions: this.#functions.slice(firstFunction, endFunction),
        parent: parent.subarray(firstStack, endStack),
        functionRow: functionRow.subarray(firstStack, endStack),
      });
      [firstFunction, firstStack] = [endFunction, endStack];
    }
    return pages;
  }

  /** The row of each local stack; new ones get provisional rows. */
  async addAll(functions: FunctionTable, stacks: StackTable): Promise<Int32Array> {
    const turns = new LoopTurns();
    const functionRows = new Int32Array(functions.length).fill(ABSENT); // asked for when a stack uses it: an unused function is not kept
    const rows = new Int32Array(stacks.length);
    for (let row = 0; row < stacks.length; row += 1) {
      const local = stacks.functionRow[row]!;
      if (functionRows[local] === ABSENT) functionRows[local] = this.#functionRowFor(functionKey(functions, local));
      const parent = stacks.parent[row]!;
      rows[row] = this.#stackRowFor(parent < 0 ? parent : rows[parent]!, functionRows[local]!);
      if (row % ROWS_OF_A_PIECE === 0) await turns.rest();
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
    const { first: parent, second: functionRow } = this.#stacks.columns();
    const moved = new Int32Array(parent.length);
    const rowOf = (row: number) => (row < this.#firstStack ? row : moved[row - this.#firstStack]!);
    const functionRowOf = (row: number) =>
      row < this.#firstFunction ? row : overlay.#functionRowFor(this.#functions[row - this.#firstFunction]!);
    // Parents first: each is moved before it is asked for.
    for (let at = 0; at < moved.length; at += 1)
      moved[at] = overlay.#stackRowFor(rowOf(parent[at]!), functionRowOf(functionRow[at]!));
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
    return this.#firstStack + this.#stacks.rowOf(parent, functionRow);
  }
}
