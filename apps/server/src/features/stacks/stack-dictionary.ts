import { NO_PARENT, type FunctionKey, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { StackHead } from './epoch.js';
import { ABSENT, FunctionIndex } from './function-index.js';
import { LoopTurns, ROWS_OF_A_PIECE } from './loop-turns.js';
import { StackError } from './stack-error.js';

export const MAX_FUNCTIONS = 2 ** 21;
export const MAX_STACKS = 2 ** 30;

/** Some rows of a dictionary, in order: the functions from row `firstFunction` on, the stacks from row `firstStack` on. */
export interface StackPage {
  readonly firstFunction: number;
  readonly firstStack: number;
  readonly functions: readonly FunctionKey[];
  /** Row in the dictionary, or `NO_PARENT`. */
  readonly parent: ArrayLike<number>;
  /** Row in the dictionary; as many as `parent`. */
  readonly functionRow: ArrayLike<number>;
}

export interface StackTables {
  readonly functions: FunctionTable;
  /** Over a SharedArrayBuffer: threads read it without a copy. */
  readonly stacks: StackTable;
}

/**
 * The committed stacks of one service and epoch: what the pages up to `version` hold. It only grows, and a row never changes its
 * meaning, so whoever holds older tables may keep reading them.
 *
 *     functions   name, package, file            row -> function, and function -> row
 *     stacks      parent, functionRow            row -> stack, and (parent, functionRow) -> row by open addressing
 */
export class StackDictionary {
  readonly #generation: number | undefined;
  #version = 0;
  readonly #name: string[] = [];
  readonly #package: string[] = [];
  readonly #file: string[] = [];
  readonly #functionRowOf = new FunctionIndex();
  #functionBytes = 0;
  #stackCount = 0;
  #parent = sharedInt32(1024);
  #functionRow = new Uint32Array(new SharedArrayBuffer(1024 * 4));
  /** Row + 1 of the stack that hashes here, 0 is empty; at most half full. */
  #slots = new Int32Array(4096);
  #functionTable: FunctionTable | undefined;

  /** @param generation Of the head that the pages belong to; `undefined`: there is none, and there are no pages. */
  constructor(generation?: number) {
    this.#generation = generation;
  }

  get version(): number {
    return this.#version;
  }
  get head(): StackHead | undefined {
    return this.#generation === undefined ? undefined : { generation: this.#generation, version: this.#version };
  }
  get functionCount(): number {
    return this.#name.length;
  }
  get stackCount(): number {
    return this.#stackCount;
  }
  /** Rough memory use. */
  get bytes(): number {
    return this.#parent.byteLength * 2 + this.#slots.byteLength + this.#functionBytes;
  }

  functionRow(key: FunctionKey): number {
    return this.#functionRowOf.row(key);
  }

  stackRow(parent: number, functionRow: number): number {
    const row = this.#slots[this.#slotOf(parent, functionRow)]!;
    return row - 1;
  }

  /** The row of each local stack, if all of them are here. */
  async rowsOf(functions: FunctionTable, stacks: StackTable): Promise<Int32Array | undefined> {
    const turns = new LoopTurns();
    const functionRows = new Int32Array(functions.length).fill(ABSENT);
    const rows = new Int32Array(stacks.length);
    for (let from = 0; from < stacks.length; from += ROWS_OF_A_PIECE) {
      const until = Math.min(from + ROWS_OF_A_PIECE, stacks.length);
      if (!this.#findRows(functions, stacks, from, until, functionRows, rows)) return undefined;
      await turns.rest();
    }
    return rows;
  }

  /** Of the stacks [from, until), into `rows`, and of their functions into `functionRows`. @returns Whether all of them are here. */
  #findRows(
    functions: FunctionTable,
    stacks: StackTable,
    from: number,
    until: number,
    functionRows: Int32Array,
    rows: Int32Array,
  ): boolean {
    // Nothing grows meanwhile.
    const [ownParent, ownFunction, ownCount] = [this.#parent, this.#functionRow, this.#stackCount];
    for (let row = from; row < until; row += 1) {
      const local = stacks.functionRow[row]!;
      let functionRow = functionRows[local]!;
      if (functionRow === ABSENT) {
        functionRow = this.functionRow(functionKey(functions, local));
        if (functionRow === ABSENT) return false;
        functionRows[local] = functionRow;
      }
      const localParent = stacks.parent[row]!;
      const parent = localParent < 0 ? localParent : rows[localParent]!;
      // Nine of ten stacks came right behind their parent, which is still at hand; to find the others takes a walk through memory.
      const next = parent + 1;
      rows[row] =
        next < ownCount && ownParent[next] === parent && ownFunction[next] === functionRow
          ? next
          : this.stackRow(parent, functionRow);
      if (rows[row] === ABSENT) return false;
    }
    return true;
  }

  /**
   * Takes in the page after `version`. Either the whole page or nothing.
   *
   * @throws {StackError} `STACK_PAGE_ORDER`: it does not continue this dictionary; `STACK_PAGE_DAMAGED`; `STACK_DICTIONARY_FULL`
   */
  append(page: StackPage): void {
    this.#assertContinues(page);
    this.#grow(this.#stackCount + page.parent.length);
    const before = this.#stackCount;
    for (let at = 0; at < page.parent.length; at += 1) {
      const parent = page.parent[at]!;
      const functionRow = page.functionRow[at]!;
      const slot = this.#slotOf(parent, functionRow);
      if (this.#slots[slot] !== 0) {
        this.#removeFrom(before);
        throw new StackError('STACK_PAGE_ORDER', `page ${this.#version + 1} repeats stack (${parent}, ${functionRow})`);
      }
      this.#parent[this.#stackCount] = parent;
      this.#functionRow[this.#stackCount] = functionRow;
      this.#stackCount += 1;
      this.#slots[slot] = this.#stackCount;
    }
    for (const key of page.functions) {
      this.#functionRowOf.set(key, this.#name.length);
      this.#name.push(key.name);
      this.#package.push(key.package);
      this.#file.push(key.file);
      this.#functionBytes += 400 + (key.name.length + key.package.length + key.file.length) * 2;
    }
    this.#version += 1;
  }

  /**
   * To be asked before rows are committed: a page that nobody can append can never be taken back.
   *
   * @throws {StackError} `STACK_DICTIONARY_FULL`
   */
  assertHasRoom(newFunctions: number, newStacks: number): void {
    const [functions, stacks] = [this.functionCount + newFunctions, this.#stackCount + newStacks];
    if (functions > MAX_FUNCTIONS || stacks > MAX_STACKS)
      throw new StackError('STACK_DICTIONARY_FULL', `${functions} functions, ${stacks} stacks`);
  }

  /** Everything up to now. Later pages do not change what is returned. */
  tables(): StackTables {
    if (this.#functionTable?.length !== this.#name.length) {
      this.#functionTable = {
        length: this.#name.length,
        name: this.#name.slice(),
        package: this.#package.slice(),
        file: this.#file.slice(),
      };
    }
    return {
      functions: this.#functionTable,
      stacks: { length: this.#stackCount, parent: this.#parent, functionRow: this.#functionRow },
    };
  }

  #assertContinues(page: StackPage): void {
    const next = this.#version + 1;
    if (page.firstFunction !== this.functionCount || page.firstStack !== this.#stackCount) {
      throw new StackError(
        'STACK_PAGE_ORDER',
        `page ${next} begins at function ${page.firstFunction}, stack ${page.firstStack}; the dictionary ends at ${this.functionCount}, ${this.#stackCount}`,
      );
    }
    this.assertHasRoom(page.functions.length, page.parent.length);
    const ofPage = new FunctionIndex();
    for (const key of page.functions) {
      if (this.#functionRowOf.row(key) !== ABSENT || ofPage.row(key) !== ABSENT)
        throw new StackError('STACK_PAGE_ORDER', `page ${next} repeats function ${key.name}`);
      ofPage.set(key, 0);
    }
    const functionCount = this.functionCount + page.functions.length;
    for (let at = 0; at < page.parent.length; at += 1) {
      const parent = page.parent[at]!;
      const functionRow = page.functionRow[at]!;
      if (!(parent >= NO_PARENT && parent < this.#stackCount + at && functionRow >= 0 && functionRow < functionCount)) {
        throw new StackError(
          'STACK_PAGE_DAMAGED',
          `page ${next}: stack ${this.#stackCount + at} has parent ${parent}, function ${functionRow}`,
        );
      }
    }
  }

  /** The last rows, last first: so each slot is found and emptied as if it had never been filled. */
  #removeFrom(stackCount: number): void {
    while (this.#stackCount > stackCount) {
      const row = this.#stackCount - 1;
      this.#slots[this.#slotOf(this.#parent[row]!, this.#functionRow[row]!)] = 0;
      this.#stackCount = row;
    }
  }

  /** The slot that holds this stack, or the empty one where it belongs. */
  #slotOf(parent: number, functionRow: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(parent + 1, 0x9e3779b1) ^ Math.imul(functionRow + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = (Math.imul(hash, 0x2c1b3c6d) >>> 7) & mask;
    for (let row = this.#slots[slot]!; row !== 0; row = this.#slots[slot]!) {
      if (this.#parent[row - 1] === parent && this.#functionRow[row - 1] === functionRow) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** New columns are copies: tables given out before keep the old ones. */
  #grow(stackCount: number): void {
    let capacity = this.#parent.length;
    while (capacity < stackCount) capacity *= 2;
    if (capacity > this.#parent.length) {
      const parent = sharedInt32(capacity);
      parent.set(this.#parent);
      const functionRow = new Uint32Array(new SharedArrayBuffer(capacity * 4));
      functionRow.set(this.#functionRow);
      [this.#parent, this.#functionRow] = [parent, functionRow];
    }
    if (this.#slots.length >= stackCount * 2) return;
    let slots = this.#slots.length;
    while (slots < stackCount * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
    for (let row = 0; row < this.#stackCount; row += 1) {
      this.#slots[this.#slotOf(this.#parent[row]!, this.#functionRow[row]!)] = row + 1;
    }
  }
}

export function functionKey({ name, package: packageName, file }: FunctionTable, row: number): FunctionKey {
  return { name: name[row]!, package: packageName[row]!, file: file[row]! };
}

function sharedInt32(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * 4));
}
