import type { CallTree } from './call-tree.js';
import { TRUNCATED } from './call-tree.js';

export interface LimitedCallTree {
  readonly tree: CallTree;
  /** Nodes that are not in `tree` any more; 0 if nothing was cut. */
  readonly truncatedNodes: number;
  /** Sum of the totals of the `TRUNCATED` nodes made here. */
  readonly truncatedValue: number;
}

/**
 * Keeps the `maxNodes` nodes with the largest totals, the root among them. What is cut below a kept node becomes its last child, with the function `TRUNCATED` and
 * the value as self: every kept node keeps its figures, and the sum of `self` stays the total. These children come on top of `maxNodes`, at most one a node.
 *
 * @param maxNodes - At least 1.
 */
export function limitCallTree(tree: CallTree, maxNodes: number): LimitedCallTree {
  if (tree.length <= maxNodes) return { tree, truncatedNodes: 0, truncatedValue: 0 };
  const isKept = largestNodes(tree, Math.max(1, maxNodes));
  const depth: number[] = [];
  const functionRow: number[] = [];
  const self: number[] = [];
  const total: number[] = [];
  const push = (...node: [depth: number, functionRow: number, self: number, total: number]): void => {
    depth.push(node[0]);
    functionRow.push(node[1]);
    self.push(node[2]);
    total.push(node[3]);
  };

  // cutValue[d], cutNodes[d]: what was cut below the open node of depth d.
  const cutValue: number[] = [];
  const cutNodes: number[] = [];
  let truncatedNodes = 0;
  let truncatedValue = 0;
  const closeUntil = (newLength: number): void => {
    while (cutNodes.length > newLength) {
      const nodes = cutNodes.pop()!;
      const value = cutValue.pop()!;
      if (nodes === 0) continue;
      push(cutNodes.length + 1, TRUNCATED, value, value);
      truncatedNodes += nodes;
      truncatedValue += value;
    }
  };

  for (let row = 0; row < tree.length; row += 1) {
    const rowDepth = tree.depth[row]!;
    if (isKept[row] === 1) {
      closeUntil(rowDepth);
      push(rowDepth, tree.functionRow[row]!, tree.self[row]!, tree.total[row]!);
      cutValue.push(0);
      cutNodes.push(0);
      continue;
    }
    closeUntil(rowDepth);
    cutValue[rowDepth - 1]! += tree.total[row]!;
    const firstCut = row;
    while (row + 1 < tree.length && tree.depth[row + 1]! > rowDepth) row += 1; // the subtree goes with its top
    cutNodes[rowDepth - 1]! += row - firstCut + 1;
  }
  closeUntil(0);
  return {
    tree: {
      length: depth.length,
      depth: Int32Array.from(depth),
      functionRow: Int32Array.from(functionRow),
      self: Float64Array.from(self),
      total: Float64Array.from(total),
    },
    truncatedNodes,
    truncatedValue,
  };
}

/** 1 for the `count` nodes of largest total; of equal ones those that come first, so a parent is never left out before its child. */
function largestNodes(tree: CallTree, count: number): Uint8Array {
  const smallestKept = tree.total.slice().sort()[tree.length - count]!;
  let equalOnesLeft = count;
  for (const total of tree.total) if (total > smallestKept) equalOnesLeft -= 1;
  const isKept = new Uint8Array(tree.length);
  for (let row = 0; row < tree.length; row += 1) {
    if (tree.total[row]! < smallestKept) continue;
    if (tree.total[row] === smallestKept && equalOnesLeft-- <= 0) continue;
    isKept[row] = 1;
  }
  isKept[0] = 1; // its total may be smaller than a child's where there are negative values
  return isKept;
}
