import { NO_PARENT } from '@hearth/profile-model';
import { childLists } from './call-nodes.js';
import type { CallNodes, NodeIndex } from './call-nodes.js';
import type { UnionTree } from './comparison-result.js';

/** `UnionTree.functionRow` of the root and of what the limit folded away. */
export const ROOT_ROW = -1;
export const TRUNCATED_ROW = -2;

export interface UnionTreeInput {
  readonly nodes: CallNodes;
  /** Self value per unit of work by node, and of samples without frames. */
  readonly baseline: { readonly nodeSelf: Float64Array; readonly rootSelf: number };
  readonly candidate: { readonly nodeSelf: Float64Array; readonly rootSelf: number };
  /** 1 - p by function id; `root` for everything. */
  readonly confidence: { readonly byFunction: Float64Array; readonly root: number };
  /** Stay in the tree however small they are. */
  readonly keep: readonly NodeIndex[];
  readonly maxNodes: number;
}

/**
 * Both sides' calls as one tree. Children by the sum of both sides, largest first. What the limit folds away becomes one
 * child of its parent, so totals stay sums of self values.
 *
 * @returns The tree, and the row of each node (-1: not in it).
 */
export function unionTree(input: UnionTreeInput): { tree: UnionTree; rowOfNode: Int32Array } {
  const { nodes, baseline, candidate } = input;
  const before = totals(nodes, baseline.nodeSelf);
  const after = totals(nodes, candidate.nodeSelf);
  const size = before.map((value, node) => value + after[node]!);
  const kept = keptNodes(input, size);
  const columns = new TreeColumns();
  const rowOfNode = new Int32Array(nodes.length).fill(-1);
  const usedFunctions = [...new Set(nodes.functionId.filter((_, node) => kept.isKept[node] === 1))].sort((a, b) => a - b);
  const rowOfFunction = new Map(usedFunctions.map((id, row) => [id, row]));

  const { firstChild, nextSibling, firstRoot } = childLists(nodes.parent);
  const childrenOf = (first: NodeIndex): { shown: NodeIndex[]; folded: NodeIndex[] } => {
    const shown: NodeIndex[] = [];
    const folded: NodeIndex[] = [];
    for (let child = first; child !== -1; child = nextSibling[child]!) {
      if (kept.isKept[child] === 1) shown.push(child);
      else if (size[child]! > 0) folded.push(child);
    }
    shown.sort((a, b) => size[b]! - size[a]! || nodes.functionId[a]! - nodes.functionId[b]!);
    return { shown, folded };
  };
  const fold = (folded: readonly NodeIndex[], depth: number): void => {
    if (folded.length === 0) return;
    const sumOf = (column: Float64Array): number => folded.reduce((sum, node) => sum + column[node]!, 0);
    const values = [sumOf(before), sumOf(after)] as const;
    columns.push(depth, TRUNCATED_ROW, values[0], values[0], values[1], values[1], 0);
  };

  const roots = childrenOf(firstRoot);
  const sumOfRoots = (column: Float64Array): number =>
    [...roots.shown, ...roots.folded].reduce((sum, node) => sum + column[node]!, 0);
  columns.push(
    0,
    ROOT_ROW,
    baseline.rootSelf,
    baseline.rootSelf + sumOfRoots(before),
    candidate.rootSelf,
    candidate.rootSelf + sumOfRoots(after),
    input.confidence.root,
  );
  // Open entries, the next one last; what is folded under a node is written after its other children.
  const open: ({ node: NodeIndex; depth: number } | { folded: NodeIndex[]; depth: number })[] = [];
  const openChildren = (children: { shown: NodeIndex[]; folded: NodeIndex[] }, depth: number): void => {
    open.push({ folded: children.folded, depth });
    for (const node of children.shown.reverse()) open.push({ node, depth });
  };
  openChildren(roots, 1);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ('folded' in next) {
      fold(next.folded, next.depth);
      continue;
    }
    const { node, depth } = next;
    const id = nodes.functionId[node]!;
    rowOfNode[node] = columns.push(
      depth,
      rowOfFunction.get(id)!,
      baseline.nodeSelf[node]!,
      before[node]!,
      candidate.nodeSelf[node]!,
      after[node]!,
      input.confidence.byFunction[id]!,
    );
    openChildren(childrenOf(firstChild[node]!), depth + 1);
  }
  const tree = {
    ...columns.columns,
    functions: usedFunctions.map((id) => nodes.functions[id]!),
    truncatedNodes: kept.foldedNodes,
    truncatedValue: columns.foldedValue,
  };
  return { tree, rowOfNode };
}

class TreeColumns {
  readonly columns = {
    depth: [] as number[],
    functionRow: [] as number[],
    baselineSelf: [] as number[],
    baselineTotal: [] as number[],
    candidateSelf: [] as number[],
    candidateTotal: [] as number[],
    confidence: [] as number[],
  };
  foldedValue = 0;

  /** @returns The new row. */
  push(
    depth: number,
    functionRow: number,
    baselineSelf: number,
    baselineTotal: number,
    candidateSelf: number,
    candidateTotal: number,
    confidence: number,
  ): number {
    const { columns } = this;
    columns.functionRow.push(functionRow);
    columns.baselineSelf.push(baselineSelf);
    columns.baselineTotal.push(baselineTotal);
    columns.candidateSelf.push(candidateSelf);
    columns.candidateTotal.push(candidateTotal);
    columns.confidence.push(confidence);
    if (functionRow === TRUNCATED_ROW) this.foldedValue += baselineTotal + candidateTotal;
    return columns.depth.push(depth) - 1;
  }
}

function totals(nodes: CallNodes, nodeSelf: Float64Array): Float64Array {
  const total = nodeSelf.slice();
  for (let node = nodes.length - 1; node >= 0; node -= 1) {
    const caller = nodes.parent[node]!;
    if (caller !== NO_PARENT) total[caller]! += total[node]!;
  }
  return total;
}

/** The largest nodes, so many that they fit together with the rows that stand for what is folded. A parent is never smaller than its child. */
function keptNodes({ nodes, keep, maxNodes }: UnionTreeInput, size: Float64Array): { isKept: Uint8Array; foldedNodes: number } {
  const isWanted = new Uint8Array(nodes.length);
  for (const node of keep)
    for (let above = node; above !== NO_PARENT && isWanted[above] === 0; above = nodes.parent[above]!) isWanted[above] = 1;
  const order = [...size.keys()]
    .filter((node) => size[node]! > 0)
    .sort((a, b) => isWanted[b]! - isWanted[a]! || size[b]! - size[a]! || a - b);
  const isKept = new Uint8Array(nodes.length);
  for (let limit = Math.min(order.length, maxNodes - 1); ;) {
    isKept.fill(0);
    order.slice(0, limit).forEach((node) => (isKept[node] = 1));
    const folding = new Set<NodeIndex>();
    for (const node of order.slice(limit)) {
      const caller = nodes.parent[node]!;
      if (caller === NO_PARENT || isKept[caller] === 1) folding.add(caller);
    }
    const excess = 1 + limit + folding.size - maxNodes;
    if (excess <= 0 || limit === 0) return { isKept, foldedNodes: order.length - limit };
    limit = Math.max(0, limit - excess);
  }
}
