import { NO_PARENT } from '@hearth/profile-model';
import type { CallNodes } from './call-nodes.js';
import type { CanonicalSide } from './compared-side.js';
import { WHOLE } from './rates.js';
import type { RatePair } from './rates.js';
import { kindOfTransaction } from './work-plan.js';
import type { WorkPlan } from './work-plan.js';

/**
 * In how many different windows a function has samples, counted up to `enough`. Windows of the same time in several
 * processes count once: a burst that hits all processes together is one event.
 */
export function windowsWithSamples(
  pair: RatePair,
  side: CanonicalSide,
  nodes: CallNodes,
  plan: WorkPlan,
  enough: number,
): number {
  const { samples } = side;
  const isOfFunction = nodesOfFunction(pair, nodes);
  const starts = new Set<number>();
  for (let at = 0; at < samples.stack.length && starts.size < enough; at += 1) {
    const stack = samples.stack[at]!;
    if (stack === NO_PARENT || isOfFunction[nodes.nodeOfStack[stack]!] === 0) continue;
    const kind = kindOfTransaction(plan, samples.transaction[at]!);
    if (kind === -1 || (pair.scope !== WHOLE && kind !== pair.scope)) continue;
    starts.add(samples.windowStartMs[at]!);
  }
  return starts.size;
}

function nodesOfFunction({ functionId, metric }: RatePair, nodes: CallNodes): Uint8Array {
  const isOfFunction = new Uint8Array(nodes.length);
  for (let node = 0; node < nodes.length; node += 1) {
    const caller = nodes.parent[node]!;
    const below = metric === 'inclusive' && caller !== NO_PARENT && isOfFunction[caller] === 1;
    if (below || nodes.functionId[node] === functionId) isOfFunction[node] = 1;
  }
  return isOfFunction;
}
