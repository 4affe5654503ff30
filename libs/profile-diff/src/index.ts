export { compare } from './compare.js';
export { DEFAULT_COMPARISON_OPTIONS } from './comparison-options.js';
export { COMPARISON_ALGORITHM, COMPARISON_RESULT_VERSION, NO_TRANSACTION } from './comparison-result.js';
export type {
  Change,
  ComparisonBasis,
  ComparisonResult,
  ComparisonSideSummary,
  ComparisonWarning,
  ComparisonWarningCode,
  CoverRow,
  FunctionMetric,
  FunctionRow,
  Interval,
  MixSplit,
  StripEntry,
  TransactionRow,
  UnionTree,
  VarianceReport,
  Verdict,
} from './comparison-result.js';
export type {
  ComparedProcess,
  ComparisonInput,
  ComparisonOptions,
  ComparisonSide,
  SideCounts,
  SideSamples,
} from './comparison-input.js';
