import type { FunctionKey, FunctionTable } from './function-table.js';
import { FunctionInterner, PairInterner, StackInterner } from './interner.js';
import type { LabelSet } from './label-set.js';
import { labelSetKey } from './label-set.js';
import type { ProfileType } from './profile-type.js';
import type { Profile } from './profile.js';
import type { StackTable } from './stack-table.js';
import type { DurationMs, EpochMs } from './units.js';

/** What a profile says of itself, without its tables and samples. */
export interface ProfileHead {
  readonly type: ProfileType;
  readonly startMs: EpochMs;
  readonly durationMs: DurationMs;
}

/** Makes a profile whose functions, stacks, label sets and (stack, label set) rows are all distinct. */
export class ProfileBuilder {
  readonly #head: ProfileHead;
  readonly #functions = new FunctionInterner();
  readonly #stacks = new StackInterner();
  readonly #labelSets: LabelSet[] = [];
  readonly #labelSetRows = new Map<string, number>();
  readonly #samples = new PairInterner();
  readonly #value: number[] = [];
  readonly #count: number[] = [];

  constructor(head: ProfileHead) {
    this.#head = head;
  }

  functionRow(key: FunctionKey): number {
    return this.#functions.rowOf(key);
  }

  /** @param parent - Row that an earlier call returned; `NO_PARENT` for a root. */
  stackRow(parent: number, functionRow: number): number {
    return this.#stacks.rowOf(parent, functionRow);
  }

  /** @param labels - Sorted, as `labelSet` makes them. */
  labelSetRow(labels: LabelSet): number {
    const key = labelSetKey(labels);
    let row = this.#labelSetRows.get(key);
    if (row === undefined) {
      row = this.#labelSets.push(labels) - 1;
      this.#labelSetRows.set(key, row);
    }
    return row;
  }

  /** @returns Row here of each function of `table`. */
  addFunctions(table: FunctionTable): Uint32Array {
    return this.#functions.addAll(table);
  }

  /** @returns Row here of each stack of `stacks`, whose functions are at `functionRows` here. */
  addStacks(stacks: StackTable, functionRows: Uint32Array): Int32Array {
    return this.#stacks.addAll(stacks, functionRows);
  }

  /**
   * Adds to the row of this (stack, label set).
   *
   * @param stackRow - The leaf's stack; `NO_PARENT` for a sample without frames.
   * @param value - Whole, in the sample unit.
   * @param count - Raw samples it sums up.
   */
  addSample(stackRow: number, labelSetRow: number, value: number, count = 1): void {
    const row = this.#samples.rowOf(stackRow, labelSetRow);
    if (row === this.#value.length) {
      this.#value.push(value);
      this.#count.push(count);
    } else {
      this.#value[row]! += value;
      this.#count[row]! += count;
    }
  }

  build(): Profile {
    const { first, second } = this.#samples.columns();
    return {
      ...this.#head,
      functions: this.#functions.table(),
      stacks: this.#stacks.table(),
      labelSets: this.#labelSets.slice(),
      sampleStack: first,
      sampleLabelSet: new Uint32Array(second.buffer),
      sampleValue: Float64Array.from(this.#value),
      sampleCount: Float64Array.from(this.#count),
    };
  }
}
