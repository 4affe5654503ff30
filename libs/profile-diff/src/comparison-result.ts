import type { EpochMs, FunctionKey } from '@hearth/profile-model';

/** Bumped when the same inputs would give other figures. */
export const COMPARISON_ALGORITHM = 'hearth-comparison-3';
/** Bumped when a reader of the document would have to change. */
export const COMPARISON_RESULT_VERSION = 1;

/**
 * REGRESSED, IMPROVED: alarms. LIKELY_*: too little evidence for an alarm, or possible (q <= .05).
 * UNCHANGED: the interval of the contribution lies within the floor. NEW, GONE: on one side only.
 * NO_VERDICT: shown as it is, nothing was judged (levels, throughput, a total without a unit of work).
 */
export type Verdict =
  | 'REGRESSED'
  | 'IMPROVED'
  | 'LIKELY_REGRESSED'
  | 'LIKELY_IMPROVED'
  | 'UNCHANGED'
  | 'NOT_ENOUGH_DATA'
  | 'NEW'
  | 'GONE'
  | 'NO_VERDICT';

/** Stands for the name of a transaction in rows about work that belongs to none. */
export const NO_TRANSACTION = '(no transaction)';

/** What one unit of work is: figures per transaction, per process-second, per process (levels), or scaled by TMM. */
export type ComparisonBasis = 'per-transaction' | 'per-process-second' | 'per-process' | 'tmm';

/** Closed interval. */
export type Interval = readonly [low: number, high: number];

/** One quantity on both sides, per unit of work of its row. */
export interface Change {
  /** In the unit of the comparison, per unit of work. */
  readonly baseline: number;
  readonly candidate: number;
  /** candidate − baseline. */
  readonly delta: number;
  /** 100 (candidate / baseline − 1); `null` where the baseline is 0. */
  readonly deltaPct: number | null;
  /** 95 % interval of `deltaPct`; `null` where there is none (NEW, GONE, no variance, levels). */
  readonly intervalPct: Interval | null;
  /** Probability of a change this large by chance; `null` where nothing was tested. */
  readonly p: number | null;
  /** After Benjamini-Hochberg within its family. */
  readonly q: number | null;
  readonly verdict: Verdict;
  /** Smallest change, in percent, that would have been found with probability .95; `null` if not to be told. */
  readonly minimumDetectablePct: number | null;
  /** Further minutes of both sides until a change of `floorPct` or 10 % would be found; `null` if already or never. */
  readonly moreMinutesNeeded: number | null;
  /** Raw samples behind each side. */
  readonly baselineSamples: number;
  readonly candidateSamples: number;
}

export interface ComparisonSideSummary {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly processes: number;
  readonly samples: number;
  readonly transactions: number;
  readonly processSeconds: number;
  /** Sum of all values, in the unit of the comparison. */
  readonly value: number;
}

/** How the variance of this comparison was found. */
export interface VarianceReport {
  /** Degrees of freedom of the data, and those that the prior adds (`null`: infinite, all functions alike). */
  readonly df: number;
  readonly priorDf: number | null;
  /** Coefficient of variation between processes, as a fraction. */
  readonly betweenProcessCv: number;
  /** `processes`: replicates are processes. `windows`: fewer than three a side, windows thinned by autocorrelation: LIKELY at most. */
  readonly replicates: 'processes' | 'windows';
  readonly functionsTested: number;
  readonly transactionsTested: number;
  /** An alarm needs q at or below this: `alarmQ` divided by the number of families. */
  readonly alarmLevel?: number;
  /** Sets of hypotheses within which q was computed, e.g. `self`, `inclusive by transaction`. */
  readonly families?: readonly string[];
}

/** self: samples that end in the function. inclusive: samples that contain it, a recursion counted once. */
export type FunctionMetric = 'self' | 'inclusive';

export interface FunctionRow {
  readonly function: FunctionKey;
  readonly metric: FunctionMetric;
  /**
   * The transaction this row is about; `null`: all transactions at fixed weights (the service as a whole);
   * `NO_TRANSACTION`: work in no transaction, per process-second.
   */
  readonly transaction: string | null;
  readonly change: Change;
  /** Share of the service's value on the baseline and candidate side, 0..1, per unit of work. */
  readonly baselineShare: number;
  readonly candidateShare: number;
  /** `callees`: an inclusive cost that changed because of functions called, which have rows of their own. Always set by `compare`. */
  readonly cause?: 'own' | 'callees';
}

export interface TransactionRow {
  readonly transaction: string;
  readonly status: 'both' | 'new' | 'gone';
  readonly baselineCount: number;
  readonly candidateCount: number;
  /** Value per transaction. */
  readonly change: Change;
  /** Parts of the change of the service's value per transaction, in the comparison's unit: by this transaction's share of traffic, and by its code. */
  readonly mixPart: number;
  readonly codePart: number;
  /** Mean duration in microseconds on both sides; `null` without a transaction count. */
  readonly baselineDurationMicros: number | null;
  readonly candidateDurationMicros: number | null;
}

/** Exact split of the change of the service's value (candidate − baseline totals scaled to one second): volume + mix + code + background + entered − left = total. */
export interface MixSplit {
  readonly total: number;
  readonly volume: number;
  readonly mix: number;
  readonly code: number;
  /** Change of what belongs to no transaction. */
  readonly background: number;
  /** Cost of transactions on one side only. */
  readonly newTransactions: number;
  readonly goneTransactions: number;
}

/** One of the fewest disjoint tree nodes that hold most of the change. Header rows of the page. */
export interface CoverRow {
  /** Row in `tree`. */
  readonly treeRow: number;
  readonly function: FunctionKey;
  /** Names of the callers, root first, without the function itself. */
  readonly path: readonly string[];
  /** Signed change per unit of work, and its share of the sum of |change|, 0..1. */
  readonly delta: number;
  readonly share: number;
  /** The transaction with most of this change; `null` if it is not in one. */
  readonly transaction: string | null;
  /** The matching function row's change, where one was tested. */
  readonly change: Change | null;
}

/** Union of both sides' call trees in preorder columns of one length; values per unit of work, in the comparison's unit. */
export interface UnionTree {
  readonly depth: readonly number[];
  /** Row in `functions`. -1: the root, row 0, the whole service. -2: nodes of one parent folded away by the limit. */
  readonly functionRow: readonly number[];
  readonly functions: readonly FunctionKey[];
  readonly baselineSelf: readonly number[];
  readonly baselineTotal: readonly number[];
  readonly candidateSelf: readonly number[];
  readonly candidateTotal: readonly number[];
  /** 1 − p of the function's inclusive change, 0..1: drawn as opacity. */
  readonly confidence: readonly number[];
  /** Nodes and value (sum of both sides) folded away by the limit. */
  readonly truncatedNodes: number;
  readonly truncatedValue: number;
}

export interface StripEntry {
  readonly metric: 'value' | 'latency' | 'throughput';
  readonly unit: string;
  readonly change: Change;
}

export type ComparisonWarningCode =
  | 'FEW_PROCESSES'
  | 'UNEQUAL_PROCESSES'
  | 'NODE_VERSIONS_DIFFER'
  | 'AGENT_VERSIONS_DIFFER'
  | 'RATES_DIFFER'
  | 'TRAFFIC_MIX_SHIFTED'
  | 'NO_TRANSACTIONS'
  | 'TRANSACTIONS_EXPIRED'
  | 'NO_VERDICT_FOR_LEVELS'
  | 'DROPPED_BATCHES'
  | 'SIDE_EMPTY'
  | 'RETRIES_POSSIBLE'
  | 'ERROR_RATES_DIFFER'
  | 'MINIFIED_CODE';

export interface ComparisonWarning {
  readonly code: ComparisonWarningCode;
  readonly message: string;
}

/** One document; every view reads it, so numbers cannot disagree. Deterministic: the same inputs give the same bytes. */
export interface ComparisonResult {
  readonly version: typeof COMPARISON_RESULT_VERSION;
  readonly algorithm: string;
  readonly unit: string;
  readonly kind: 'flow' | 'level';
  readonly basis: ComparisonBasis;
  readonly baseline: ComparisonSideSummary;
  readonly candidate: ComparisonSideSummary;
  readonly strip: readonly StripEntry[];
  readonly variance: VarianceReport;
  readonly mix: MixSplit | null;
  readonly cover: readonly CoverRow[];
  /** Alarms that the function itself caused first; docs/comparison.md has the whole order. */
  readonly functions: readonly FunctionRow[];
  readonly transactions: readonly TransactionRow[];
  /** Rows without any sign of change that were left out of `functions` to keep the document small. Always set by `compare`. */
  readonly functionRowsLeftOut?: number;
  /** Functions with too few samples to be tested, and their share of the value, 0..1. */
  readonly belowExposure: { readonly functions: number; readonly share: number };
  /** GC, idle and program: shown, without a verdict. */
  readonly runtimeRows: readonly { readonly name: string; readonly baseline: number; readonly candidate: number }[];
  readonly tree: UnionTree;
  readonly warnings: readonly ComparisonWarning[];
}
