import type * as Inspector from 'node:inspector';
import { ownRequire } from '../safety/own-place.js';
import { MAX_STACK_DEPTH, SAMPLE_INTERVAL_BYTES, type MemoryRow, type MemorySampler } from './memory-sampler.js';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

const SAMPLING = {
  samplingInterval: SAMPLE_INTERVAL_BYTES,
  stackDepth: MAX_STACK_DEPTH,
  // Without these two an object that dies takes its sample with it.
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
};

/** What the inspector answers when sampling stops; @types/node has only a part of it. */
export interface AllocationProfile {
  readonly head: InspectedNode;
  /** One entry for each raw sample. */
  readonly samples: readonly { readonly nodeId: number }[];
}

export interface InspectedNode {
  readonly id: number;
  /** Lines and columns from 0; -1 is unknown. */
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  /** Bytes that this stack allocated, scaled up by V8 from its samples. */
  readonly selfSize: number;
  readonly children: readonly InspectedNode[];
}

/** All that is allocated, by V8's own sampler. Buffers lie outside of the heap and are not in it. */
export class AllocationSampler implements MemorySampler {
  readonly measures = 'allocations';
  readonly #inspector: Inspector.Session;
  #isRunning = false;

  /** @throws where Node was built without its inspector */
  constructor() {
    const inspector = ownRequire('node:inspector') as typeof Inspector;
    this.#inspector = new inspector.Session();
  }

  /** @throws where the inspector may not be used */
  start(): void {
    if (this.#isRunning) return;
    this.#inspector.connect();
    this.#isRunning = true;
    this.#post('HeapProfiler.startSampling', SAMPLING);
  }

  /** Ends the sampling and begins it anew: asked without an end, V8's list of samples would grow for ever. */
  read(tables: StackTables): MemoryRow[] {
    const { profile } = this.#post('HeapProfiler.stopSampling') as { readonly profile: AllocationProfile };
    this.#post('HeapProfiler.startSampling', SAMPLING);
    return readAllocations(profile, tables);
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#inspector.disconnect(); // ends its sampling too
  }

  /** A session with its own thread answers before `post` returns. */
  #post(method: string, parameters: object = {}): object {
    let [fault, answer]: [Error | null, object | undefined] = [new Error('the inspector did not answer'), undefined];
    this.#inspector.post(method, parameters, (ownFault, ownAnswer) => {
      [fault, answer] = [ownFault, ownAnswer];
    });
    if (fault !== null) throw fault;
    return answer ?? {};
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

function asTreeNode({ id, callFrame, selfSize, children }: InspectedNode): AllocationNode {
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
