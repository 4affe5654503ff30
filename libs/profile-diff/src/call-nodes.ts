import { NO_PARENT } from '@hearth/profile-model';
import type { FunctionKey, StackIndex } from '@hearth/profile-model';
import type { ComparisonInput } from './comparison-input.js';

/** Row in `CallNodes`. */
export type NodeIndex = number;
/** Row in `CallNodes.functions`. */
export type FunctionId = number;

/** `idle` is the absence of work; the others are work of the runtime that no function can be blamed for. */
export type FunctionRole = 'code' | 'runtime' | 'idle';

/**
 * The stacks that either side uses, as a tree in which equal paths are one node.
 *
 *     node      0     1      2      3
 *     parent    -1    0      0      2
 *     function  main  parse  main   parse     node 3 is main→main→parse
 *     outermost yes   yes    no     no        so that main is counted once
 *
 * A parent comes before its children. Functions are numbered by package, file and name, so nothing downstream depends on
 * the order in which the dictionary learned them.
 */
export interface CallNodes {
  readonly length: number;
  readonly parent: Int32Array;
  readonly functionId: Int32Array;
  /** 1 where no ancestor is of the same function: the inclusive cost of a function is the sum of these nodes' totals. */
  readonly outermost: Uint8Array;
  /** Node of each row of the shared stack table; -1 where neither side uses it. */
  readonly nodeOfStack: Int32Array;
  readonly functions: readonly FunctionKey[];
  readonly roles: readonly FunctionRole[];
}

const RUNTIME_FUNCTIONS = new Set(['(program)', '(garbage collector)', '(root)']);

function roleOf({ name, file }: FunctionKey): FunctionRole {
  if (file !== '') return 'code';
  if (name === '(idle)') return 'idle';
  return RUNTIME_FUNCTIONS.has(name) ? 'runtime' : 'code';
}

export function callNodes(input: ComparisonInput): CallNodes {
  const { stacks } = input;
  const used = usedStacks(input);
  const { functions, idOfRow } = usedFunctions(input, used);

  const parent: number[] = [];
  const functionId: number[] = [];
  const nodeOfStack = new Int32Array(stacks.length).fill(NO_PARENT);
  const nodeOfPath = new Map<number, NodeIndex>();
  for (let stack: StackIndex = 0; stack < stacks.length; stack += 1) {
    if (used[stack] === 0) continue;
    const stackParent = stacks.parent[stack]!;
    const caller = stackParent === NO_PARENT ? NO_PARENT : nodeOfStack[stackParent]!;
    const id = idOfRow[stacks.functionRow[stack]!]!;
    const path = (caller + 1) * functions.length + id;
    let node = nodeOfPath.get(path);
    if (node === undefined) {
      node = parent.push(caller) - 1;
      functionId.push(id);
      nodeOfPath.set(path, node);
    }
    nodeOfStack[stack] = node;
  }
  const columns = { length: parent.length, parent: Int32Array.from(parent), functionId: Int32Array.from(functionId) };
  return {
    ...columns,
    outermost: outermostNodes(columns, functions.length),
    nodeOfStack,
    functions,
    roles: functions.map(roleOf),
  };
}

/** 1 for every stack that a sample names, and for its callers. */
function usedStacks({ stacks, baseline, candidate }: ComparisonInput): Uint8Array {
  const used = new Uint8Array(stacks.length);
  for (const { samples } of [baseline, candidate]) {
    for (const stack of samples.stack) if (stack !== NO_PARENT) used[stack] = 1;
  }
  for (let stack = stacks.length - 1; stack >= 0; stack -= 1) {
    const caller = stacks.parent[stack]!;
    if (used[stack] === 1 && caller !== NO_PARENT) used[caller] = 1;
  }
  return used;
}

function usedFunctions(
  { stacks, functions }: ComparisonInput,
  used: Uint8Array,
): { functions: FunctionKey[]; idOfRow: Int32Array } {
  const rowsOfKey = new Map<string, number[]>();
  const seen = new Uint8Array(functions.length);
  for (let stack = 0; stack < stacks.length; stack += 1) {
    const row = stacks.functionRow[stack]!;
    if (used[stack] === 0 || seen[row] === 1) continue;
    seen[row] = 1;
    const key = [functions.package[row], functions.file[row], functions.name[row]].join('\0');
    const rows = rowsOfKey.get(key);
    if (rows === undefined) rowsOfKey.set(key, [row]);
    else rows.push(row);
  }
  const idOfRow = new Int32Array(functions.length).fill(-1);
  const keys = [...rowsOfKey.keys()].sort();
  const unique = keys.map((key, id) => {
    const rows = rowsOfKey.get(key)!;
    for (const row of rows) idOfRow[row] = id;
    const [row] = rows as [number];
    return { name: functions.name[row]!, package: functions.package[row]!, file: functions.file[row]! };
  });
  return { functions: unique, idOfRow };
}

/** Walks the tree depth first with a list of its own: recursion in the profiled program must not overflow our stack. */
function outermostNodes(nodes: Pick<CallNodes, 'length' | 'parent' | 'functionId'>, functionCount: number): Uint8Array {
  const { firstChild, nextSibling, firstRoot } = childLists(nodes.parent);
  const outermost = new Uint8Array(nodes.length);
  const onPath = new Int32Array(functionCount);
  const open: number[] = [];
  for (let root = firstRoot; root !== -1; root = nextSibling[root]!) open.push(root);
  while (open.length > 0) {
    const next = open.pop()!;
    if (next < 0) {
      onPath[nodes.functionId[~next]!]! -= 1;
      continue;
    }
    const id = nodes.functionId[next]!;
    if (onPath[id] === 0) outermost[next] = 1;
    onPath[id]! += 1;
    open.push(~next); // leave the node again after its children
    for (let child = firstChild[next]!; child !== -1; child = nextSibling[child]!) open.push(child);
  }
  return outermost;
}

/** First child and next sibling of every node, -1 where there is none; siblings in the order of their rows. */
export function childLists(parent: Int32Array): { firstChild: Int32Array; nextSibling: Int32Array; firstRoot: number } {
  const firstChild = new Int32Array(parent.length).fill(-1);
  const nextSibling = new Int32Array(parent.length).fill(-1);
  let firstRoot = -1;
  for (let node = parent.length - 1; node >= 0; node -= 1) {
    const caller = parent[node]!;
    if (caller === NO_PARENT) {
      nextSibling[node] = firstRoot;
      firstRoot = node;
    } else {
      nextSibling[node] = firstChild[caller]!;
      firstChild[caller] = node;
    }
  }
  return { firstChild, nextSibling, firstRoot };
}
