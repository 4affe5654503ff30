import type { CallNodes, FunctionId } from './call-nodes.js';
import type { Cover } from './cover.js';
import type { Change, FunctionMetric, FunctionRow } from './comparison-result.js';
import { EVIDENCE, evidenceOf } from './evidence.js';
import { ROOT, WHOLE } from './rates.js';
import type { RatePair, WorkScope } from './rates.js';
import type { WorkPlan } from './work-plan.js';

/** A pair of rates with what is shown of it. */
export interface JudgedPair {
  readonly pair: RatePair;
  readonly change: Change;
}

/** The document holds no more rows than a page can list; what is left out has the smallest changes and no evidence. */
const MAX_FUNCTION_ROWS = 10_000;
/** A transaction stands for the whole change of a function if it holds this part of it. */
const LEADING_SHARE = 0.8;

export interface FunctionRowsInput {
  readonly nodes: CallNodes;
  readonly plan: WorkPlan;
  readonly judged: readonly JudgedPair[];
  readonly cover: Cover;
  /** Value of the service per unit of the whole. */
  readonly serviceValue: { readonly baseline: number; readonly candidate: number };
}

/**
 * Rows in the order in which somebody should read them: alarms of functions that changed by themselves, functions that
 * appeared or went, alarms of their callers, possible changes, the rest. Rows of one function with the same evidence stay
 * together, placed by their largest change of the service; of them the transaction leads that holds nearly all of it.
 */
export function functionRows(input: FunctionRowsInput): { rows: FunctionRow[]; leftOut: number } {
  const { nodes, plan, cover } = input;
  const weightOf = (scope: WorkScope): number => (scope === WHOLE ? 1 : plan.kinds[scope]!.weight);
  const ownDelta = new Map<string, number>();
  const wholeDelta = new Map<string, number>();
  for (const { pair, change } of input.judged) {
    if (pair.metric === 'self') ownDelta.set(keyOf(pair.functionId, pair.scope), change.delta);
    if (pair.scope === WHOLE) wholeDelta.set(keyOf(pair.functionId, pair.metric), change.delta);
  }
  const answerable = new Set([...cover.answerable.keys()].map((node) => nodes.functionId[node]!));

  const entries = input.judged
    .filter(({ pair }) => pair.functionId !== ROOT)
    .map(({ pair, change }) => {
      const contribution = Math.abs(change.delta) * weightOf(pair.scope);
      const own = ownDelta.get(keyOf(pair.functionId, pair.scope)) ?? 0;
      const ofWhole = Math.abs(wholeDelta.get(keyOf(pair.functionId, pair.metric)) ?? 0);
      const cause = pair.metric === 'self' || answerable.has(pair.functionId) || Math.abs(own) >= Math.abs(change.delta) / 2 ? 'own' : 'callees';
      return {
        pair,
        change,
        contribution,
        cause,
        tier: tierOf(change, cause),
        leads: pair.scope !== WHOLE && contribution > 0 && contribution >= LEADING_SHARE * ofWhole,
      } as const;
    });
  type Entry = (typeof entries)[number];

  const largest = new Map<string, number>();
  for (const { pair, tier, contribution } of entries) {
    const group = keyOf(pair.functionId, tier);
    largest.set(group, Math.max(largest.get(group) ?? 0, contribution));
  }
  const largestOf = ({ pair, tier }: Entry): number => largest.get(keyOf(pair.functionId, tier))!;
  entries.sort(
    (a, b) =>
      a.tier - b.tier ||
      largestOf(b) - largestOf(a) ||
      a.pair.functionId - b.pair.functionId ||
      metricOrder(a.pair.metric) - metricOrder(b.pair.metric) ||
      Number(b.leads) - Number(a.leads) ||
      Number(a.pair.scope !== WHOLE) - Number(b.pair.scope !== WHOLE) ||
      b.contribution - a.contribution ||
      a.pair.scope - b.pair.scope,
  );
  const rows = entries.slice(0, MAX_FUNCTION_ROWS).map(({ pair, change, cause }) => {
    const weight = weightOf(pair.scope);
    return {
      function: nodes.functions[pair.functionId]!,
      metric: pair.metric,
      transaction: pair.scope === WHOLE ? null : plan.kinds[pair.scope]!.transaction,
      change,
      baselineShare: shareOf(weight * change.baseline, input.serviceValue.baseline),
      candidateShare: shareOf(weight * change.candidate, input.serviceValue.candidate),
      cause,
    } satisfies FunctionRow;
  });
  return { rows, leftOut: entries.length - rows.length };
}

function keyOf(functionId: FunctionId, of: string | number): string {
  return `${functionId} ${of}`;
}

function metricOrder(metric: FunctionMetric): number {
  return metric === 'self' ? 0 : 1;
}

function tierOf(change: Change, cause: 'own' | 'callees'): number {
  switch (evidenceOf(change.verdict)) {
    case EVIDENCE.alarm:
      return cause === 'own' ? 0 : 2;
    case EVIDENCE.appearance:
      return 1;
    case EVIDENCE.likely:
      return cause === 'own' ? 3 : 4;
    case EVIDENCE.none:
      return 5;
  }
}

function shareOf(value: number, all: number): number {
  return all > 0 ? value / all : 0;
}
