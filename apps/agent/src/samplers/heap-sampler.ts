import { ownRequire } from '../safety/own-place.js';
import { MAX_STACK_DEPTH, SAMPLE_INTERVAL_BYTES, type MemoryRow, type MemorySampler } from './memory-sampler.js';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

interface HeapModule {
  startSamplingHeapProfiler(intervalBytes: number, stackDepth: number): void;
  stopSamplingHeapProfiler(): void;
  getAllocationProfile(): HeapNode;
}

interface HeapNode {
  readonly name: string;
  readonly scriptName: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
  /** Live objects that this stack allocated, scaled up by V8 from its samples. */
  readonly allocations: readonly { readonly sizeBytes: number; readonly count: number }[];
  readonly children: readonly HeapNode[];
}

/** In-use heap. DevTools taking such a profile disturbs it, and is disturbed by it. */
export class HeapSampler implements MemorySampler {
  readonly measures = 'in-use';
  readonly #native: HeapModule;
  #isRunning = false;

  /** @throws if the add-on does not load here */
  constructor() {
    this.#native = nativeHeap();
  }

  start(): void {
    if (this.#isRunning) return;
    this.#native.startSamplingHeapProfiler(SAMPLE_INTERVAL_BYTES, MAX_STACK_DEPTH);
    this.#isRunning = true;
  }

  read(tables: StackTables): MemoryRow[] {
    return readHeapTree(this.#native.getAllocationProfile(), tables);
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#native.stopSamplingHeapProfiler();
  }
}

/**
 * Whether somebody samples the heap of this isolate already, as `node --heap-prof` does from its start: to start once more would say
 * nothing, and to stop would end theirs. `false` where it cannot be told.
 */
export function isHeapSampled(): boolean {
  try {
    nativeHeap().getAllocationProfile(); // throws where nobody does
    return true;
  } catch {
    return false;
  }
}

function nativeHeap(): HeapModule {
  return ownRequire('@datadog/pprof/out/src/heap-profiler-bindings.js') as HeapModule;
}

export function readHeapTree(root: HeapNode, tables: StackTables): MemoryRow[] {
  const rows: MemoryRow[] = [];
  walkTree(root, tables, ({ allocations }, stackRow) => {
    let [bytes, objects] = [0, 0];
    for (const { sizeBytes, count } of allocations) {
      bytes += sizeBytes * count;
      objects += count;
    }
    if (objects > 0) rows.push({ stackRow, bytes, count: objects });
  });
  return rows;
}
