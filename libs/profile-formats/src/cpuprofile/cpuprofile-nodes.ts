import { FormatError } from '../errors.js';
import type { FormatLimits } from '../limits.js';
import { assertWithin } from '../limits.js';

/** Nodes in an order that puts parents first. */
export interface CpuprofileNodes {
  readonly name: string[];
  readonly url: string[];
  /** Row of the caller; -1 for a root. */
  readonly parent: number[];
  /** 1 for a root. */
  readonly depth: number[];
  readonly rowOfId: ReadonlyMap<number, number>;
}

/** One node as it stands in the file, with its place in the tree said in one of three ways. */
interface RawNode {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly childIds: readonly number[];
  readonly parentId: number | undefined;
}

/**
 * Reads the call tree of either layout: `nodes` that name their children (or, in traces, their parent) by id, or the older `head` whose children are objects inside it.
 *
 * @throws {FormatError} `CPUPROFILE_SHAPE`, `CPUPROFILE_TREE`, `FORMAT_LIMIT`
 */
export function readCpuprofileNodes(json: object, limits: FormatLimits): CpuprofileNodes {
  const { nodes, head } = json as { nodes?: unknown; head?: unknown };
  const raw = head === undefined ? flatNodes(nodes, limits) : nestedNodes(head, limits);
  return inTreeOrder(raw, limits);
}

function flatNodes(nodes: unknown, limits: FormatLimits): RawNode[] {
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw new FormatError('CPUPROFILE_SHAPE', 'nodes is not a list with a node in it');
  assertWithin(nodes.length, limits.maxRows, 'nodes');
  return nodes.map((node: unknown) => {
    const { id, callFrame, children = [], parent } = record(node, 'node');
    const { functionName, url = '' } = record(callFrame, 'callFrame');
    if (!Array.isArray(children)) throw new FormatError('CPUPROFILE_SHAPE', 'children is not a list');
    return {
      id: whole(id, 'id'),
      name: text(functionName, 'functionName'),
      url: text(url, 'url'),
      childIds: children.map((child) => whole(child, 'child')),
      parentId: parent === undefined ? undefined : whole(parent, 'parent'),
    };
  });
}

function nestedNodes(head: unknown, limits: FormatLimits): RawNode[] {
  const raw: RawNode[] = [];
  const open: unknown[] = [head]; // a stack of our own: JSON may be nested deeper than recursion goes
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { id, functionName, url = '', children = [] } = record(node, 'node');
    if (!Array.isArray(children)) throw new FormatError('CPUPROFILE_SHAPE', 'children is not a list');
    const childIds = children.map((child: unknown) => whole(record(child, 'child').id, 'id'));
    raw.push({
      id: whole(id, 'id'),
      name: text(functionName, 'functionName'),
      url: text(url, 'url'),
      childIds,
      parentId: undefined,
    });
    assertWithin(raw.length, limits.maxRows, 'nodes');
    open.push(...(children as unknown[]));
  }
  return raw;
}

function inTreeOrder(raw: readonly RawNode[], limits: FormatLimits): CpuprofileNodes {
  const rawRowOfId = new Map(raw.map((node, row) => [node.id, row]));
  if (rawRowOfId.size !== raw.length) throw new FormatError('CPUPROFILE_TREE', 'two nodes have the same id');
  const rawRow = (id: number): number => {
    const row = rawRowOfId.get(id);
    if (row === undefined) throw new FormatError('CPUPROFILE_TREE', `node ${id} is named and not there`);
    return row;
  };
  const childrenOf: number[][] = raw.map(() => []);
  const hasParent = new Uint8Array(raw.length);
  const link = (parentRow: number, childRow: number): void => {
    if (hasParent[childRow] === 1) throw new FormatError('CPUPROFILE_TREE', `node ${raw[childRow]!.id} has two parents`);
    hasParent[childRow] = 1;
    childrenOf[parentRow]!.push(childRow);
  };
  raw.forEach((node, row) => {
    for (const id of node.childIds) link(row, rawRow(id));
    if (node.parentId !== undefined && !raw[rawRow(node.parentId)]!.childIds.includes(node.id)) link(rawRow(node.parentId), row);
  });

  const nodes = { name: [] as string[], url: [] as string[], parent: [] as number[], depth: [] as number[] };
  const rowOfId = new Map<number, number>();
  const waiting = raw.flatMap((_, row) => (hasParent[row] === 1 ? [] : [{ row, parent: -1, depth: 1 }]));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    assertWithin(next.depth, limits.maxDepth, 'frames in one stack');
    const node = raw[next.row]!;
    const row = nodes.name.push(node.name) - 1;
    nodes.url.push(node.url);
    nodes.parent.push(next.parent);
    nodes.depth.push(next.depth);
    rowOfId.set(node.id, row);
    for (const child of childrenOf[next.row]!) waiting.push({ row: child, parent: row, depth: next.depth + 1 });
  }
  // Every node has at most one parent, so what no root leads to is a circle.
  if (nodes.name.length !== raw.length)
    throw new FormatError('CPUPROFILE_TREE', `${raw.length - nodes.name.length} nodes call each other in a circle`);
  return { ...nodes, rowOfId };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw new FormatError('CPUPROFILE_SHAPE', `${what} is ${shown(value)}, not an object`);
  return value as Record<string, unknown>;
}

function whole(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw new FormatError('CPUPROFILE_SHAPE', `${what} is ${shown(value)}, not a whole number`);
  return value as number;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new FormatError('CPUPROFILE_SHAPE', `${what} is ${shown(value)}, not a text`);
  return value;
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 80);
}
