import type { CallNodes, FunctionId } from './call-nodes.js';
import type { Cover } from './cover.js';
import type { Change, FunctionRow } from './comparison-result.js';
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
  // Keyed by function and scope in one number: these maps are asked for every row.
  const scopes = plan.kinds.length + 1;
  const keyOf = (functionId: FunctionId, scope: WorkScope): number => functionId * scopes + scope + 1;
  const ownDelta = new Map<number, number>();
  const wholeDelta = { self: new Float64Array(nodes.functions.length), inclusive: new Float64Array(nodes.functions.length) };
  for (const { pair, change } of input.judged) {
    if (pair.functionId === ROOT) continue;
    if (pair.metric === 'self') ownDelta.set(keyOf(pair.functionId, pair.scope), change.delta);
    if (pair.scope === WHOLE) wholeDelta[pair.metric][pair.functionId] = Math.abs(change.delta);
  }
  const answerable = new Set([...cover.answerable.keys()].map((node) => nodes.functionId[node]!));

  const entries: Entry[] = [];
  const largest = Array.from({ length: TIERS }, () => new Float64Array(nodes.functions.length));
  for (const { pair, change } of input.judged) {
    if (pair.functionId === ROOT) continue;
    const contribution = Math.abs(change.delta) * weightOf(pair.scope);
    const isOwn =
      pair.metric === 'self' ||
      answerable.has(pair.functionId) ||
      Math.abs(ownDelta.get(keyOf(pair.functionId, pair.scope)) ?? 0) >= Math.abs(change.delta) / 2;
    const cause = isOwn ? 'own' : 'callees';
    const tier = tierOf(change, cause);
    const leads =
      pair.scope !== WHOLE && contribution > 0 && contribution >= LEADING_SHARE * wholeDelta[pair.metric][pair.functionId]!;
    entries.push({ pair, change, contribution, cause, tier, largest: 0, order: orderInGroup(pair, leads) });
    const ofTier = largest[tier]!;
    ofTier[pair.functionId] = Math.max(ofTier[pair.functionId]!, contribution);
  }
  for (const entry of entries) entry.largest = largest[entry.tier]![entry.pair.functionId]!;
  entries.sort(
    (a, b) =>
      a.tier - b.tier ||
      b.largest - a.largest ||
      a.pair.functionId - b.pair.functionId ||
      a.order - b.order ||
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

interface Entry extends JudgedPair {
  /** Change of the service's value, unsigned. */
  readonly contribution: number;
  readonly cause: 'own' | 'callees';
  readonly tier: number;
  /** Largest contribution among the function's rows of this tier. */
  largest: number;
  readonly order: number;
}

/** Own cost before inclusive; the transaction that holds the change, then the whole, then the other transactions. */
function orderInGroup({ metric, scope }: RatePair, leads: boolean): number {
  return (metric === 'self' ? 0 : 3) + (leads ? 0 : scope === WHOLE ? 1 : 2);
}

const TIERS = 6;
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
