import { openAllocationSource, type AllocationProfile, type AllocationProfileNode } from './allocation-source.js';
import type { MemoryRow, MemorySampler } from './memory-sampler.js';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

/** All that is allocated, by V8's own sampler. Buffers lie outside of the heap and are not in it. */
export class AllocationSampler implements MemorySampler {
  readonly measures = 'allocations';
  readonly #source = openAllocationSource();
  #isRunning = false;

  /** @throws where V8's sampler may not be used */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true; // before: what has begun half-way is ended too
    this.#source.begin();
  }

  /** Ends the sampling and begins it anew: asked without an end, V8's list of samples would grow for ever. */
  read(tables: StackTables): MemoryRow[] {
    const profile = this.#source.end();
    this.#source.begin();
    return readAllocations(profile, tables);
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#source.discard();
  }
}

/** @param profile - Its tree is no deeper than `MAX_STACK_DEPTH`. */
export function readAllocations(profile: AllocationProfile, tables: StackTables): MemoryRow[] {
  const samplesOf = new Map<number, number>();
  for (const { nodeId } of profile.samples) samplesOf.set(nodeId, (samplesOf.get(nodeId) ?? 0) + 1);
  const rows: MemoryRow[] = [];
  walkTree(asTreeNode(profile.head), tables, ({ id, bytes }, stackRow) => {
    if (bytes > 0) rows.push({ stackRow, bytes, count: samplesOf.get(id) ?? 0 });
  });
  return rows;
}

interface AllocationNode {
  readonly id: number;
  readonly name: string;
  readonly scriptName: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly bytes: number;
  readonly children: readonly AllocationNode[];
}

function asTreeNode({ id, callFrame, selfSize, children }: AllocationProfileNode): AllocationNode {
  return {
    id,
    name: callFrame.functionName,
    scriptName: callFrame.url,
    lineNumber: callFrame.lineNumber + 1,
    columnNumber: callFrame.columnNumber + 1,
    bytes: selfSize,
    children: children.map(asTreeNode),
  };
}
