import type { FunctionMetric, Verdict } from './comparison-result.js';
import type { FunctionId } from './call-nodes.js';

/** How much a verdict says: smaller is more. */
export const EVIDENCE = { alarm: 0, appearance: 1, likely: 2, none: 3 } as const;
export type Evidence = (typeof EVIDENCE)[keyof typeof EVIDENCE];

export function evidenceOf(verdict: Verdict): Evidence {
  switch (verdict) {
    case 'REGRESSED':
    case 'IMPROVED':
      return EVIDENCE.alarm;
    case 'NEW':
    case 'GONE':
      return EVIDENCE.appearance;
    case 'LIKELY_REGRESSED':
    case 'LIKELY_IMPROVED':
      return EVIDENCE.likely;
    case 'UNCHANGED':
    case 'NOT_ENOUGH_DATA':
    case 'NO_VERDICT':
      return EVIDENCE.none;
  }
}

/** The strongest evidence about each function, in whatever scope it was found. Columns by function id. */
export type FunctionEvidence = Readonly<Record<FunctionMetric, Uint8Array>>;

export function strongestEvidence(
  functionCount: number,
  rows: Iterable<{ readonly functionId: FunctionId; readonly metric: FunctionMetric; readonly verdict: Verdict }>,
): FunctionEvidence {
  const strongest = {
    self: new Uint8Array(functionCount).fill(EVIDENCE.none),
    inclusive: new Uint8Array(functionCount).fill(EVIDENCE.none),
  };
  for (const { functionId, metric, verdict } of rows) {
    if (functionId < 0) continue;
    strongest[metric][functionId] = Math.min(strongest[metric][functionId]!, evidenceOf(verdict));
  }
  return strongest;
}
