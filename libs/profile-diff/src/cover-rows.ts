import { NO_PARENT } from '@hearth/profile-model';
import type { CallNodes, NodeIndex } from './call-nodes.js';
import type { CanonicalSide } from './compared-side.js';
import type { CoverRow } from './comparison-result.js';
import type { Cover, CoverNode } from './cover.js';
import type { JudgedPair } from './function-rows.js';
import { WHOLE } from './rates.js';
import { kindOfTransaction } from './work-plan.js';
import type { WorkPlan } from './work-plan.js';

export interface CoverRowsInput {
  readonly nodes: CallNodes;
  readonly plan: WorkPlan;
  readonly cover: Cover;
  readonly rowOfNode: Int32Array;
  readonly judged: readonly JudgedPair[];
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
}

/** The cover as the page shows it: who calls the node, in which transaction it changed most, and how sure that is. */
export function coverRows(input: CoverRowsInput): CoverRow[] {
  const { nodes, plan, cover } = input;
  const changes = new Map(input.judged.map(({ pair, change }) => [`${pair.functionId} ${pair.metric} ${pair.scope}`, change]));
  const deltas = deltaByKind(input);
  return cover.nodes.map((found, row) => {
    const { node, metric, delta, share } = found;
    const id = nodes.functionId[node]!;
    const kind = kindWithMost(deltas[row]!, delta);
    return {
      treeRow: input.rowOfNode[node]!,
      function: nodes.functions[id]!,
      path: callersOf(nodes, node),
      delta,
      share,
      transaction: kind === plan.kindOutside ? null : plan.kinds[kind]!.transaction,
      change: changes.get(`${id} ${metric} ${kind}`) ?? changes.get(`${id} ${metric} ${WHOLE}`) ?? null,
    };
  });
}

/** The kind whose change goes furthest in the direction of the node's. */
function kindWithMost(deltas: Float64Array, delta: number): number {
  let most = 0;
  deltas.forEach((one, kind) => {
    if (one * Math.sign(delta) > deltas[most]! * Math.sign(delta)) most = kind;
  });
  return most;
}

function callersOf(nodes: CallNodes, node: NodeIndex): string[] {
  const names: string[] = [];
  for (let above = nodes.parent[node]!; above !== NO_PARENT; above = nodes.parent[above]!)
    names.push(nodes.functions[nodes.functionId[above]!]!.name);
  return names.reverse();
}

/** For each node of the cover, the change of its subtree by kind of work, per unit of the whole. */
function deltaByKind({ nodes, plan, cover, baseline, candidate }: CoverRowsInput): Float64Array[] {
  const sums = { baseline: sumsOf(cover.nodes, plan), candidate: sumsOf(cover.nodes, plan) };
  const rowOf = coverRowOfNode(nodes, cover.nodes);
  for (const [name, { samples }] of [
    ['baseline', baseline],
    ['candidate', candidate],
  ] as const) {
    samples.stack.forEach((stack, at) => {
      if (stack === NO_PARENT) return;
      const row = rowOf[nodes.nodeOfStack[stack]!]!;
      if (row === -1) return;
      const kind = kindOfTransaction(plan, samples.transaction[at]!);
      if (kind !== -1) sums[name][row]![kind]! += samples.value[at]!;
    });
  }
  return cover.nodes.map((_, row) =>
    sums.candidate[row]!.map((after, kind) => {
      const { weight, baseline: before, candidate: then } = plan.kinds[kind]!;
      return weight * (after / (then.total || 1) - sums.baseline[row]![kind]! / (before.total || 1));
    }),
  );
}

function sumsOf(found: readonly CoverNode[], plan: WorkPlan): Float64Array[] {
  return found.map(() => new Float64Array(plan.kinds.length));
}

function coverRowOfNode(nodes: CallNodes, found: readonly CoverNode[]): Int32Array {
  const rowOf = new Int32Array(nodes.length).fill(-1);
  found.forEach(({ node }, row) => (rowOf[node] = row));
  for (let node = 0; node < nodes.length; node += 1) {
    const caller = nodes.parent[node]!;
    if (rowOf[node] === -1 && caller !== NO_PARENT) rowOf[node] = rowOf[caller]!;
  }
  return rowOf;
}
