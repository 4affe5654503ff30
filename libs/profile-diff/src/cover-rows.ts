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

/** In which kind of work a node changed most, and what is known of its function there. */
interface Place {
  readonly kind: number;
  readonly change: Change | null;
}

/** Where nodes of one comparison changed: asked for all that may be named, and shown of those that are. */
export class ChangedPlaces {
  readonly #input: WhereInput;
  readonly #changeOf: ReadonlyMap<string, Change>;
  readonly #placeOf = new Map<NodeIndex, Place>();

  constructor(input: WhereInput) {
    this.#input = input;
    this.#changeOf = new Map(input.judged.map(({ pair, change }) => [`${pair.functionId} ${pair.metric} ${pair.scope}`, change]));
  }

  /**
   * The evidence in the kind of work in which each node changed most; none if its function changed the other way there. Walks all samples.
   *
   * @param changed - None of which is above another.
   */
  evidenceWhereMost(changed: readonly ChangedNode[]): Evidence[] {
    const deltas = deltaByKind(this.#input, changed);
    return changed.map((one, row) => {
      const place = this.#place(one, kindWithMost(deltas[row]!, one.delta));
      this.#placeOf.set(one.node, place);
      return place.change !== null && Math.sign(place.change.delta) === Math.sign(one.delta)
        ? evidenceOf(place.change.verdict)
        : EVIDENCE.none;
    });
  }

  /**
   * The cover as the page shows it: who calls the node, in which transaction it changed most, and how sure that is.
   *
   * @param cover - Of nodes that `evidenceWhereMost` was asked about.
   */
  coverRows(cover: Cover, rowOfNode: Int32Array): CoverRow[] {
    const { nodes, plan } = this.#input;
    return cover.nodes.map(({ node, delta, share }) => {
      const { kind, change } = this.#placeOf.get(node)!;
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

  #place({ node, metric }: ChangedNode, kind: number): Place {
    const id = this.#input.nodes.functionId[node]!;
    const change = this.#changeOf.get(`${id} ${metric} ${kind}`) ?? this.#changeOf.get(`${id} ${metric} ${WHOLE}`) ?? null;
    return { kind, change };
  }
}

/** The kind whose change goes furthest in the direction of the node's. */
function kindWithMost(deltas: ReadonlyMap<number, number>, delta: number): number {
  let most = 0;
  let furthest = -Infinity;
  for (const [kind, one] of deltas) {
    const along = one * Math.sign(delta);
    if (along < furthest || (along === furthest && kind > most)) continue;
    [most, furthest] = [kind, along];
  }
  return most;
}

function callersOf(nodes: CallNodes, node: NodeIndex): string[] {
  const names: string[] = [];
  for (let above = nodes.parent[node]!; above !== NO_PARENT; above = nodes.parent[above]!)
    names.push(nodes.functions[nodes.functionId[above]!]!.name);
  return names.reverse();
}

/**
 * For each node, none of which is above another, the change of its subtree per unit of the whole, of each kind of work that occurs in it. Sparse: a
 * service may have thousands of transactions, of which few lead to one node.
 */
function deltaByKind(input: WhereInput, changed: readonly ChangedNode[]): ReadonlyMap<number, number>[] {
  const rowOf = rowOfNodesBelow(input.nodes, changed);
  const before = sumsByKind(input, input.baseline, rowOf, changed.length);
  const after = sumsByKind(input, input.candidate, rowOf, changed.length);
  return changed.map((_, row) => {
    const kinds = new Set([...before[row]!.keys(), ...after[row]!.keys()]);
    return new Map(
      Array.from(kinds, (kind) => {
        const { weight, baseline, candidate } = input.plan.kinds[kind]!;
        const cost = (after[row]!.get(kind) ?? 0) / (candidate.total || 1);
        return [kind, weight * (cost - (before[row]!.get(kind) ?? 0) / (baseline.total || 1))];
      }),
    );
  });
}

/** @param rowOf - Row in the result of each node; -1: none. */
function sumsByKind(
  { nodes, plan }: WhereInput,
  { samples }: CanonicalSide,
  rowOf: Int32Array,
  length: number,
): ReadonlyMap<number, number>[] {
  const sums = Array.from({ length }, () => new Map<number, number>());
  samples.stack.forEach((stack, at) => {
    const row = stack === NO_PARENT ? -1 : rowOf[nodes.nodeOfStack[stack]!]!;
    if (row === -1) return;
    const kind = kindOfTransaction(plan, samples.transaction[at]!);
    if (kind !== -1) sums[row]!.set(kind, (sums[row]!.get(kind) ?? 0) + samples.value[at]!);
  });
  return sums;
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
