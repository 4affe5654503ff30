import type { CallTree } from './call-tree.js';
import { TRUNCATED, treeFromParents } from './call-tree.js';
import { PairInterner } from './interner.js';
import type { StackTable } from './stack-table.js';
import { NO_PARENT } from './stack-table.js';

/** Frames walked before the tree is cut: 100,000 stacks of 40 frames. Inverting a deep recursion would otherwise take the square of its depth. */
const DEFAULT_MAX_FRAMES = 4_000_000;

export interface InvertedCallTreeOptions {
  /** Value of samples without frames; the root's self. Default 0. */
  readonly rootSelf?: number;
  /** The tree is built level by level; when the next level would pass this many frames, callers are `TRUNCATED` from there on. */
  readonly maxFrames?: number;
}

/**
 * The tree of callers: below the root the functions in which samples end, below each its callers. The `self` of a node is the value of the stacks
 * that begin with it, that is, have no further caller, so the sum of `self` is the total of the root here as well.
 *
 * @param selfByStack - Value of the samples that end in each stack.
 */
export function invertedCallTree(stacks: StackTable, selfByStack: Float64Array, options: InvertedCallTreeOptions = {}): CallTree {
  const { rootSelf = 0, maxFrames = DEFAULT_MAX_FRAMES } = options;
  const nodes = new PairInterner(); // (node of the callee, function) -> node, callees first
  const self: number[] = [];
  const total: number[] = [];
  let rootTotal = rootSelf;
  let frames = 0;

  // One level of the tree a round: every stack with a value moves one frame up, from its leaf to its root.
  let cursors: { stack: number; node: number; value: number }[] = [];
  for (let stack = 0; stack < stacks.length; stack += 1) {
    const value = selfByStack[stack]!;
    if (value === 0) continue;
    cursors.push({ stack, node: -1, value });
    rootTotal += value;
  }
  const step = (calleeNode: number, functionRow: number, value: number): number => {
    const node = nodes.rowOf(calleeNode, functionRow);
    if (node === total.length) {
      total.push(0);
      self.push(0);
    }
    total[node]! += value;
    return node;
  };
  while (cursors.length > 0) {
    frames += cursors.length;
    const isFull = frames > maxFrames;
    const next: typeof cursors = [];
    for (const cursor of cursors) {
      cursor.node = step(cursor.node, isFull ? TRUNCATED : stacks.functionRow[cursor.stack]!, cursor.value);
      cursor.stack = stacks.parent[cursor.stack]!;
      if (isFull || cursor.stack === NO_PARENT) self[cursor.node]! += cursor.value;
      else next.push(cursor);
    }
    cursors = next;
  }

  const { first, second } = nodes.columns();
  return treeFromParents({
    parent: first,
    functionRow: second,
    self,
    total: Float64Array.from(total),
    hasValue: new Uint8Array(first.length).fill(1),
    root: { self: rootSelf, total: rootTotal },
  });
}
