import type { EpochMs, FunctionTable, Micros, StackTable } from '@hearth/profile-model';

/** One program start, as the comparison needs it. */
export interface ComparedProcess {
  readonly id: string;
  readonly startedAtMs: EpochMs;
  /** Time it was profiled within the selection. */
  readonly seconds: number;
  readonly nodeVersion: string;
  readonly agentVersion: string;
  readonly rateHz: number;
  readonly droppedBatches: number;
}

/** What both sides share: one function table, one stack table, one list of transaction names. */
export interface ComparisonInput {
  /** Sample unit, e.g. `microseconds`, `bytes`. */
  readonly unit: string;
  readonly kind: 'flow' | 'level';
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly transactions: readonly string[];
  /** Set where transactions are known from here on only, too late for a side: then neither side has counts, and a warning says so. */
  readonly countedSinceMs?: EpochMs;
  /** Files whose functions are one, `(minified)`, because they came minified and have other names in each build. */
  readonly minifiedFiles?: readonly string[];
  readonly baseline: ComparisonSide;
  readonly candidate: ComparisonSide;
  readonly options?: Partial<ComparisonOptions>;
}

export interface ComparisonSide {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly processes: readonly ComparedProcess[];
  readonly samples: SideSamples;
  readonly counts: SideCounts;
}

/** Columns of one length; equal (process, window, transaction, stack) may repeat. */
export interface SideSamples {
  /** Row in `processes`. */
  readonly process: Uint32Array;
  readonly windowStartMs: Float64Array;
  /** Row in `transactions`; −1: in no transaction. */
  readonly transaction: Int32Array;
  /** Row in the shared stack table. */
  readonly stack: Int32Array;
  /** In the unit; levels: the time average over the process's profiled time. */
  readonly value: Float64Array;
  /** Raw samples behind `value`. */
  readonly count: Float64Array;
}

/** Columns of one length: transactions finished, per process and window. */
export interface SideCounts {
  readonly process: Uint32Array;
  readonly windowStartMs: Float64Array;
  /** Row in `transactions`. */
  readonly transaction: Uint32Array;
  readonly count: Float64Array;
  readonly errors: Float64Array;
  readonly durationSumMicros: readonly Micros[] | Float64Array;
}

export interface ComparisonOptions {
  /** Alarm at q <= this, divided by the number of families. Default .01. */
  readonly alarmQ: number;
  /** Listed as possible at q <= this. Default .05. */
  readonly possibleQ: number;
  /** Fewest expected samples a side to be tested. Default 20. */
  readonly minSamples: number;
  /** Practical floor: share of the service's value. Default .002. */
  readonly floorServiceShare: number;
  /** ... or share of its transaction's value (default .02) together with `floorTransactionMicros` (default 100). */
  readonly floorTransactionShare: number;
  readonly floorTransactionMicros: Micros;
  /** Most nodes of the union tree. Default 16384. */
  readonly maxTreeNodes: number;
}
