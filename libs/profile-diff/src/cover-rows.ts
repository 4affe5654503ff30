import { NO_PARENT } from '@hearth/profile-model';
import type { CallNodes, NodeIndex } from './call-nodes.js';
import type { CanonicalSide } from './compared-side.js';
import type { Change, CoverRow } from './comparison-result.js';
import type { ChangedNode, Cover } from './cover.js';
import { EVIDENCE, evidenceOf } from './evidence.js';
import type { Evidence } from './evidence.js';
import type { JudgedPair } from './function-rows.js';
import { WHOLE } from './rates.js';
import { kindOfTransaction } from './work-plan.js';
import type { WorkPlan } from './work-plan.js';

/** What tells where a node changed. */
export interface WhereInput {
  readonly nodes: CallNodes;
  readonly plan: WorkPlan;
  readonly judged: readonly JudgedPair[];
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
}

/** The evidence in the kind of work in which each node changed most; none if its function changed the other way there. */
export function evidenceWhereMost(input: WhereInput, changed: readonly ChangedNode[]): Evidence[] {
  return changesWhereMost(input, changed).map(({ change }, row) =>
    change !== null && Math.sign(change.delta) === Math.sign(changed[row]!.delta) ? evidenceOf(change.verdict) : EVIDENCE.none,
  );
}

/** The cover as the page shows it: who calls the node, in which transaction it changed most, and how sure that is. */
export function coverRows(input: WhereInput & { readonly cover: Cover; readonly rowOfNode: Int32Array }): CoverRow[] {
  const { nodes, plan, cover, rowOfNode } = input;
  const where = changesWhereMost(input, cover.nodes);
  return cover.nodes.map(({ node, delta, share }, row) => {
    const { kind, change } = where[row]!;
    return {
      treeRow: rowOfNode[node]!,
      function: nodes.functions[nodes.functionId[node]!]!,
      path: callersOf(nodes, node),
      delta,
      share,
      transaction: kind === plan.kindOutside ? null : plan.kinds[kind]!.transaction,
      change,
    };
  });
}

function changesWhereMost(input: WhereInput, changed: readonly ChangedNode[]): { kind: number; change: Change | null }[] {
  const changes = new Map(input.judged.map(({ pair, change }) => [`${pair.functionId} ${pair.metric} ${pair.scope}`, change]));
  const deltas = deltaByKind(input, changed);
  return changed.map(({ node, metric, delta }, row) => {
    const id = input.nodes.functionId[node]!;
    const kind = kindWithMost(deltas[row]!, delta);
    return { kind, change: changes.get(`${id} ${metric} ${kind}`) ?? changes.get(`${id} ${metric} ${WHOLE}`) ?? null };
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

/** For each node, none of which is above another, the change of its subtree by kind of work, per unit of the whole. */
function deltaByKind({ nodes, plan, baseline, candidate }: WhereInput, changed: readonly ChangedNode[]): Float64Array[] {
  const sums = { baseline: sumsOf(changed, plan), candidate: sumsOf(changed, plan) };
  const rowOf = rowOfNodesBelow(nodes, changed);
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
  return changed.map((_, row) =>
    sums.candidate[row]!.map((after, kind) => {
      const { weight, baseline: before, candidate: then } = plan.kinds[kind]!;
      return weight * (after / (then.total || 1) - sums.baseline[row]![kind]! / (before.total || 1));
    }),
  );
}

function sumsOf(changed: readonly ChangedNode[], plan: WorkPlan): Float64Array[] {
  return changed.map(() => new Float64Array(plan.kinds.length));
}

function rowOfNodesBelow(nodes: CallNodes, changed: readonly ChangedNode[]): Int32Array {
  const rowOf = new Int32Array(nodes.length).fill(-1);
  changed.forEach(({ node }, row) => (rowOf[node] = row));
  for (let node = 0; node < nodes.length; node += 1) {
    const caller = nodes.parent[node]!;
    if (rowOf[node] === -1 && caller !== NO_PARENT) rowOf[node] = rowOf[caller]!;
  }
  return rowOf;
}
