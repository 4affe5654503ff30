import type { ComparisonOptions } from './comparison-input.js';

/** What `compare` does where the input says nothing else. */
export const DEFAULT_COMPARISON_OPTIONS: ComparisonOptions = {
  alarmQ: 0.01,
  possibleQ: 0.05,
  minSamples: 20,
  floorServiceShare: 0.002,
  floorTransactionShare: 0.02,
  floorTransactionMicros: 100,
  maxTreeNodes: 16384,
};
