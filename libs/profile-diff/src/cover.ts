import { NO_PARENT } from '@hearth/profile-model';
import type { CallNodes, NodeIndex } from './call-nodes.js';
import type { FunctionMetric } from './comparison-result.js';
import { EVIDENCE } from './evidence.js';
import type { Evidence, FunctionEvidence } from './evidence.js';

/** A node of the call tree that is answerable for a change. */
export interface CoverNode {
  readonly node: NodeIndex;
  /** `self`: its function's own cost changed. `inclusive`: nothing below it is large enough to be named instead. */
  readonly metric: FunctionMetric;
  readonly evidence: Evidence;
  /** Change per unit of work that the node answers for. */
  readonly delta: number;
  /** Of the sum of |delta| over all nodes found, before the fewest were taken. */
  readonly share: number;
}

/** A node that changed, before it is asked whether its function did so there. */
export type ChangedNode = Pick<CoverNode, 'node' | 'metric' | 'delta'>;

/** For each node the evidence that its function changed where the node did, and in its direction. */
export type LocalEvidence = (changed: readonly ChangedNode[]) => readonly Evidence[];

export interface Cover {
  /** The fewest that hold `COVERED_SHARE`, at most `MAX_COVER_NODES`. No node is above another. */
  readonly nodes: readonly CoverNode[];
  /** All that were found, as node and metric: their functions changed by themselves, not through functions they call. */
  readonly answerable: ReadonlyMap<NodeIndex, FunctionMetric>;
}

const COVERED_SHARE = 0.8;
const MAX_COVER_NODES = 10;
/** Sure or not, less is not worth a line. */
const LEAST_SHARE = 0.01;
/** A caller that changed as a whole is named instead of what it calls if less than this part is explained below it. */
const EXPLAINED_BELOW = 0.5;

/** Self value per unit of the whole by node, on both sides. */
export interface NodeCosts {
  readonly baseline: Float64Array;
  readonly candidate: Float64Array;
}

/**
 * Finds who is answerable for the change, from the leaves up. A function whose own cost changed is; a caller of it changed
 * too, but only through it. A caller is answerable where its total changed and no function below explains half of that (a
 * hundred small callees, each within its noise). Only what has evidence counts: the sum of all noise is larger than most
 * changes, and a cover of it would name nobody. A function that changed in one transaction (every `(anonymous)` of a file is
 * one function) is not named where it is called by others, hence the second look.
 */
export function coverChange(nodes: CallNodes, costs: NodeCosts, evidence: FunctionEvidence, localEvidence: LocalEvidence): Cover {
  const weakest = acceptedEvidence(evidence);
  const total = new Float64Array(nodes.length);
  const held = new Float64Array(nodes.length); // by answerable nodes at or below
  const answerable = new Map<NodeIndex, FunctionMetric>();
  for (let node = nodes.length - 1; node >= 0; node -= 1) {
    const id = nodes.functionId[node]!;
    const own = costs.candidate[node]! - costs.baseline[node]!;
    total[node]! += own;
    const below = held[node]!;
    if (evidence.self[id]! <= weakest && answersForOwn(own, below)) {
      answerable.set(node, 'self');
      held[node]! += own;
    } else if (
      evidence.inclusive[id]! <= weakest &&
      total[node]! !== 0 &&
      Math.abs(below) < EXPLAINED_BELOW * Math.abs(total[node]!)
    ) {
      answerable.set(node, 'inclusive');
      held[node] = total[node]!;
    }
    const caller = nodes.parent[node]!;
    if (caller !== NO_PARENT) {
      total[caller]! += total[node]!;
      held[caller]! += held[node]!;
    }
  }
  const highest = withoutNodesBelowOthers(nodes, answerable);
  const changed = highest.map((node) => ({ node, metric: answerable.get(node)!, delta: held[node]! }));
  const strengths = localEvidence(changed);
  const evident = changed.map((one, at) => ({ ...one, evidence: strengths[at]! })).filter((one) => one.evidence <= weakest);
  const sum = evident.reduce((all, { delta }) => all + Math.abs(delta), 0);
  const found = evident.map((one) => ({ ...one, share: Math.abs(one.delta) / sum })).filter(({ share }) => share >= LEAST_SHARE);
  found.sort(
    (a, b) =>
      a.evidence - b.evidence || b.share - a.share || nodes.functionId[a.node]! - nodes.functionId[b.node]! || a.node - b.node,
  );
  return { nodes: fewest(found), answerable };
}

/** Possible changes are named only where there is nothing sure to name. */
function acceptedEvidence(evidence: FunctionEvidence): Evidence {
  const isSure = (one: number): boolean => one <= EVIDENCE.appearance;
  return evidence.self.some(isSure) || evidence.inclusive.some(isSure) ? EVIDENCE.appearance : EVIDENCE.likely;
}

/** Whether a node is named for its own change together with what is held below, instead of only what is below. */
function answersForOwn(own: number, below: number): boolean {
  if (own === 0) return false;
  if (Math.sign(own) === -Math.sign(below)) return Math.abs(own) > Math.abs(below);
  return Math.abs(below) < COVERED_SHARE * Math.abs(own + below);
}

function withoutNodesBelowOthers(nodes: CallNodes, answerable: ReadonlyMap<NodeIndex, FunctionMetric>): NodeIndex[] {
  const isBelow = new Uint8Array(nodes.length);
  const highest: NodeIndex[] = [];
  for (let node = 0; node < nodes.length; node += 1) {
    const caller = nodes.parent[node]!;
    const below = caller !== NO_PARENT && (isBelow[caller] === 1 || answerable.has(caller));
    isBelow[node] = below ? 1 : 0;
    if (!below && answerable.has(node)) highest.push(node);
  }
  return highest;
}

function fewest(found: readonly CoverNode[]): CoverNode[] {
  const taken: CoverNode[] = [];
  let covered = 0;
  for (const one of found) {
    if (covered >= COVERED_SHARE || taken.length === MAX_COVER_NODES) break;
    taken.push(one);
    covered += one.share;
  }
  return taken;
}
