import type { DurationMs, EpochMs, FunctionKey, FunctionTable, LabelSet, Profile, ProfileType } from '@hearth/profile-model';
import {
  FunctionInterner,
  PairInterner,
  ProfileError,
  StackInterner,
  assertProfile,
  labelSetKey,
  storableText,
} from '@hearth/profile-model';
import { FormatError } from './errors.js';
import type { FormatLimits } from './limits.js';
import { assertWithin, MAX_LABEL_LENGTH, shortened } from './limits.js';

/**
 * Gathers the samples of one file, each with one value per profile type, over one set of tables. The profiles it makes share those tables.
 */
export class SamplesByType {
  readonly #types: readonly ProfileType[];
  readonly #limits: FormatLimits;
  readonly #functions = new FunctionInterner();
  /** Functions and the lines that they ran on; `undefined`: lines do not matter. */
  readonly #lines: PairInterner | undefined;
  readonly #stacks = new StackInterner();
  readonly #labelSets: LabelSet[] = [];
  readonly #labelSetRows = new Map<string, number>();
  readonly #rows = new PairInterner();
  readonly #values: number[][];
  readonly #counts: number[] = [];
  #frames = 0;
  #samples = 0;

  /** @param hasCallSiteLines - Whether a function has a row for each line that it ran on. */
  constructor(types: readonly ProfileType[], limits: FormatLimits, hasCallSiteLines = false) {
    this.#types = types;
    this.#limits = limits;
    this.#lines = hasCallSiteLines ? new PairInterner() : undefined;
    this.#values = types.map(() => []);
  }

  /** @param key - With texts as `tidyFunction` makes them. */
  functionRow(key: FunctionKey, line = 0): number {
    const row = this.#functions.rowOf(key);
    return this.#lines?.rowOf(row, line) ?? row;
  }

  /** Of each row of the profiles' functions the line that ran; `undefined` without lines. */
  functionLine(): Uint32Array | undefined {
    return this.#lines && Uint32Array.from(this.#lines.columns().second);
  }

  stackRow(parent: number, functionRow: number): number {
    return this.#stacks.rowOf(parent, functionRow);
  }

  /** Call before a stack is walked. @throws {FormatError} `FORMAT_LIMIT` */
  countFrames(depth: number): void {
    assertWithin(depth, this.#limits.maxDepth, 'frames in one stack');
    assertWithin((this.#frames += depth), this.#limits.maxFrames, 'frames in all stacks');
  }

  /** @param labels - Sorted, as `tidyLabel` makes them. @throws {FormatError} `FORMAT_LIMIT` */
  labelSetRow(labels: LabelSet): number {
    const key = labelSetKey(labels);
    let row = this.#labelSetRows.get(key);
    if (row === undefined) {
      row = this.#labelSets.push(labels) - 1;
      assertWithin(this.#labelSets.length, this.#limits.maxLabelSets, 'label sets');
      this.#labelSetRows.set(key, row);
    }
    return row;
  }

  /** @param values - One for each type. @throws {FormatError} `FORMAT_LIMIT` */
  addSample(stackRow: number, labelSetRow: number, values: readonly number[], count: number): void {
    assertWithin((this.#samples += 1), this.#limits.maxRows, 'samples');
    const row = this.#rows.rowOf(stackRow, labelSetRow);
    if (row === this.#counts.length) {
      this.#counts.push(0);
      for (const column of this.#values) column.push(0);
    }
    this.#counts[row]! += count;
    this.#values.forEach((column, index) => (column[row]! += values[index]!));
  }

  /**
   * One profile for each type, in their order. Rows whose value is 0 are left out, unless the file counts the samples behind them.
   *
   * @param hasCounts - Whether the file says how many raw samples a row sums up; if not, every row has the count 1.
   * @throws {FormatError} `FORMAT_VALUE` if a sum leaves +-2^53
   */
  profiles(startMs: EpochMs, durationMs: DurationMs, hasCounts: boolean): Profile[] {
    const { first, second } = this.#rows.columns();
    const tables = { functions: this.#functionTable(), stacks: this.#stacks.table(), labelSets: this.#labelSets };
    return this.#types.map((type, index) => {
      const column = this.#values[index]!;
      const isKept = (_: unknown, row: number): boolean => column[row] !== 0 || (hasCounts && this.#counts[row] !== 0);
      const profile: Profile = {
        type,
        startMs,
        durationMs,
        ...tables,
        sampleStack: first.filter(isKept),
        sampleLabelSet: new Uint32Array(second.buffer).filter(isKept),
        sampleValue: Float64Array.from(column).filter(isKept),
        sampleCount: Float64Array.from(this.#counts, (count) => (hasCounts ? count : 1)).filter(isKept),
      };
      return asserted(profile);
    });
  }

  #functionTable(): FunctionTable {
    const table = this.#functions.table();
    if (this.#lines === undefined) return table;
    const rows = [...this.#lines.columns().first];
    return {
      length: rows.length,
      name: rows.map((row) => table.name[row]!),
      package: rows.map((row) => table.package[row]!),
      file: rows.map((row) => table.file[row]!),
    };
  }
}

/** Storable and not too long. */
export function tidyFunction(key: FunctionKey): FunctionKey {
  return { name: tidy(key.name), package: tidy(key.package), file: tidy(key.file) };
}

function tidy(text: string): string {
  return shortened(storableText(text));
}

/** A label's name or value, likewise. */
export function tidyLabel(text: string): string {
  return shortened(storableText(text), MAX_LABEL_LENGTH);
}

function asserted(profile: Profile): Profile {
  try {
    assertProfile(profile);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new FormatError('FORMAT_VALUE', `${error.code}: ${error.message}`, { cause: error });
  }
  return profile;
}
