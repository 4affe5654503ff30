import type { FunctionKey, FunctionTable } from './function-table.js';
import type { StackTable } from './stack-table.js';
import { NO_PARENT } from './stack-table.js';

/** Gives each distinct function one row, in the order of first sight. */
export class FunctionInterner {
  readonly #rows = new Map<string, number>();
  readonly #name: string[] = [];
  readonly #package: string[] = [];
  readonly #file: string[] = [];

  get length(): number {
    return this.#name.length;
  }

  rowOf(key: FunctionKey): number {
    // The two lengths in front say where each part ends, whatever characters the parts hold.
    const text = `${key.name.length}:${key.package.length}:${key.name}${key.package}${key.file}`;
    let row = this.#rows.get(text);
    if (row === undefined) {
      row = this.#name.push(key.name) - 1;
      this.#package.push(key.package);
      this.#file.push(key.file);
      this.#rows.set(text, row);
    }
    return row;
  }

  /** @returns Row here of each row of `table`. */
  addAll(table: FunctionTable): Uint32Array {
    const rows = new Uint32Array(table.length);
    for (let row = 0; row < table.length; row += 1) {
      rows[row] = this.rowOf({ name: table.name[row]!, package: table.package[row]!, file: table.file[row]! });
    }
    return rows;
  }

  /** A snapshot: functions added later are not in it. */
  table(): FunctionTable {
    return { length: this.length, name: this.#name.slice(), package: this.#package.slice(), file: this.#file.slice() };
  }
}

/**
 * Gives each distinct pair of whole numbers one row, in the order of first sight. An open hash over two
 * typed columns: no object and no text per pair, because stacks and samples come by the million.
 */
export class PairInterner {
  #first: Int32Array;
  #second: Int32Array;
  /** Row + 1, or 0 where free. Its length is a power of two and at least twice that of the columns. */
  #slots: Int32Array;
  #length = 0;

  constructor(expectedRows = 256) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(expectedRows, 16)));
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
    this.#slots = new Int32Array(capacity * 2);
  }

  get length(): number {
    return this.#length;
  }

  /** Both numbers within 32 bits, signed. */
  rowOf(first: number, second: number): number {
    const slot = this.#slotOf(first, second);
    const found = this.#slots[slot]! - 1;
    if (found >= 0) return found;
    const row = this.#length;
    this.#first[row] = first;
    this.#second[row] = second;
    this.#slots[slot] = row + 1;
    this.#length += 1;
    if (this.#length === this.#first.length) this.#grow();
    return row;
  }

  /** Copies of both columns. */
  columns(): { first: Int32Array; second: Int32Array } {
    return { first: this.#first.slice(0, this.#length), second: this.#second.slice(0, this.#length) };
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(first ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(second + 0x7f4a7c15, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f);
    let slot = (hash ^ (hash >>> 13)) & mask;
    for (let row = this.#slots[slot]! - 1; row >= 0; row = this.#slots[slot]! - 1) {
      if (this.#first[row] === first && this.#second[row] === second) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const capacity = this.#first.length * 2;
    const [first, second] = [this.#first, this.#second];
    this.#first = new Int32Array(capacity);
    this.#second = new Int32Array(capacity);
    this.#first.set(first);
    this.#second.set(second);
    this.#slots = new Int32Array(capacity * 2);
    for (let row = 0; row < this.#length; row += 1) this.#slots[this.#slotOf(first[row]!, second[row]!)] = row + 1;
  }
}

/** Gives each distinct stack one row; a parent's row is always smaller than its child's. */
export class StackInterner {
  readonly #pairs: PairInterner;

  constructor(expectedRows?: number) {
    this.#pairs = new PairInterner(expectedRows);
  }

  get length(): number {
    return this.#pairs.length;
  }

  /** @param parent - Row of the calling stack, made earlier; `NO_PARENT` for a root. */
  rowOf(parent: number, functionRow: number): number {
    return this.#pairs.rowOf(parent, functionRow);
  }

  /**
   * @param functionRows - Row here of each function of `stacks`.
   * @returns Row here of each row of `stacks`.
   */
  addAll(stacks: StackTable, functionRows: Uint32Array): Int32Array {
    const rows = new Int32Array(stacks.length);
    for (let row = 0; row < stacks.length; row += 1) {
      const parent = stacks.parent[row]!;
      rows[row] = this.rowOf(parent === NO_PARENT ? NO_PARENT : rows[parent]!, functionRows[stacks.functionRow[row]!]!);
    }
    return rows;
  }

  /** A snapshot: stacks added later are not in it. */
  table(): StackTable {
    const { first, second } = this.#pairs.columns();
    return { length: first.length, parent: first, functionRow: new Uint32Array(second.buffer) };
  }
}
