import type { StackTable } from './stack-table.js';

/** `functionRow` of the root, which stands for everything. */
export const ROOT_FUNCTION = -1;
/** `functionRow` of a node that stands for all children of its parent that were cut off. */
export const TRUNCATED = -2;

/**
 * A call tree in preorder columns of one length: a node, then its whole subtree. Row 0 is the root, with `functionRow` `ROOT_FUNCTION`
 * and depth 0.
 *
 *     row       0      1     2     3
 *     depth     0      1     2     2
 *     function  total  main  read  parse      main calls read and parse
 *     self      0      1     10    5
 *     total     16     16    10    5
 *
 * Siblings are in the order of their total, largest first, equal ones by function row; a `TRUNCATED` sibling is the last. The total of a node is its
 * self plus the totals of its children, so the sum of `self` is the total of the root.
 */
export interface CallTree {
  readonly length: number;
  readonly depth: Int32Array;
  /** Row in the function table, `ROOT_FUNCTION` or `TRUNCATED`. */
  readonly functionRow: Int32Array;
  readonly self: Float64Array;
  readonly total: Float64Array;
}

/**
 * The call tree of a stack table whose stacks are distinct: one node for each stack that has a value in itself or below.
 *
 * @param selfByStack - Value of the samples that end in each stack.
 * @param rootSelf - Value of samples without frames; the root's self.
 */
export function callTree(stacks: StackTable, selfByStack: Float64Array, rootSelf = 0): CallTree {
  const total = Float64Array.from(selfByStack.subarray(0, stacks.length));
  const hasValue = new Uint8Array(stacks.length);
  let rootTotal = rootSelf;
  for (let row = stacks.length - 1; row >= 0; row -= 1) {
    if (total[row] !== 0) hasValue[row] = 1;
    if (hasValue[row] === 0) continue;
    const parent = stacks.parent[row]!;
    if (parent < 0) {
      rootTotal += total[row]!;
    } else {
      total[parent]! += total[row]!;
      hasValue[parent] = 1; // stays true where a negative value takes the sum back to 0
    }
  }
  return treeFromParents({
    parent: stacks.parent,
    functionRow: stacks.functionRow,
    self: selfByStack,
    total,
    hasValue,
    root: { self: rootSelf, total: rootTotal },
  });
}

/** Nodes in any order that puts parents first. */
export interface TreeNodes {
  /** Negative for a child of the root. */
  readonly parent: ArrayLike<number>;
  readonly functionRow: ArrayLike<number>;
  readonly self: ArrayLike<number>;
  readonly total: Float64Array;
  /** 0 for nodes to leave out, with all below them. Its length is the number of nodes. */
  readonly hasValue: Uint8Array;
  readonly root: { readonly self: number; readonly total: number };
}

/** Puts nodes into preorder, siblings sorted. */
export function treeFromParents({ parent, functionRow, self, total, hasValue, root }: TreeNodes): CallTree {
  const { children, firstChild } = sortedChildren(parent, functionRow, total, hasValue);
  const length = children.length + 1;
  const tree = {
    length,
    depth: new Int32Array(length),
    functionRow: new Int32Array(length),
    self: new Float64Array(length),
    total: new Float64Array(length),
  };
  tree.functionRow[0] = ROOT_FUNCTION;
  tree.self[0] = root.self;
  tree.total[0] = root.total;

  // A stack of our own, because recursion overflows on deep trees. Nodes wait in it, the next one on top.
  const waiting = new Int32Array(length);
  const waitingDepth = new Int32Array(length);
  let top = 0;
  const pushChildren = (node: number, depth: number): void => {
    for (let at = firstChild[node + 2]! - 1; at >= firstChild[node + 1]!; at -= 1) {
      waiting[top] = children[at]!;
      waitingDepth[top] = depth;
      top += 1;
    }
  };
  pushChildren(-1, 1);
  for (let row = 1; top > 0; row += 1) {
    top -= 1;
    const node = waiting[top]!;
    const depth = waitingDepth[top]!;
    tree.depth[row] = depth;
    tree.functionRow[row] = functionRow[node]!;
    tree.self[row] = self[node]!;
    tree.total[row] = total[node]!;
    pushChildren(node, depth + 1);
  }
  return tree;
}

/** The children of node `n` are `children[firstChild[n + 1]]` up to before `children[firstChild[n + 2]]`; the root is node -1. */
function sortedChildren(
  parent: ArrayLike<number>,
  functionRow: ArrayLike<number>,
  total: Float64Array,
  hasValue: Uint8Array,
): { children: Int32Array; firstChild: Int32Array } {
  const nodeCount = hasValue.length;
  const firstChild = new Int32Array(nodeCount + 2);
  for (let node = 0; node < nodeCount; node += 1) {
    if (hasValue[node] === 1) firstChild[Math.max(parent[node]!, -1) + 2]! += 1;
  }
  for (let at = 1; at < firstChild.length; at += 1) firstChild[at]! += firstChild[at - 1]!;
  const children = new Int32Array(firstChild[nodeCount + 1]!);
  const next = firstChild.slice();
  for (let node = 0; node < nodeCount; node += 1) {
    if (hasValue[node] === 1) children[next[Math.max(parent[node]!, -1) + 1]!++] = node;
  }
  const largestFirst = (a: number, b: number): number => total[b]! - total[a]! || functionRow[a]! - functionRow[b]!;
  for (let at = 0; at <= nodeCount; at += 1) {
    const [from, until] = [firstChild[at]!, firstChild[at + 1]!];
    if (until - from > 1) children.subarray(from, until).sort(largestFirst);
  }
  return { children, firstChild };
}
