import { createRequire } from 'node:module';
import type { StackIndex } from '@hearth/profile-model';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

/** Bytes allocated between two samples, on average. */
const SAMPLE_INTERVAL_BYTES = 512 * 1024;
const MAX_STACK_DEPTH = 64;

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

/** What the heap holds at one moment, by the stack that allocated it. */
export interface HeapRow {
  readonly stackRow: StackIndex;
  readonly bytes: number;
  readonly objects: number;
}

/** In-use heap. There is one sampling heap profiler in an isolate: DevTools taking such a profile disturbs it, and is disturbed by it. */
export class HeapSampler {
  readonly #native: HeapModule;
  #isRunning = false;

  /** @throws if the add-on does not load here */
  constructor() {
    this.#native = createRequire(import.meta.url)('@datadog/pprof/out/src/heap-profiler-bindings.js') as HeapModule;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#native.startSamplingHeapProfiler(SAMPLE_INTERVAL_BYTES, MAX_STACK_DEPTH);
    this.#isRunning = true;
  }

  read(tables: StackTables): HeapRow[] {
    return readHeapTree(this.#native.getAllocationProfile(), tables);
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#native.stopSamplingHeapProfiler();
  }
}

export function readHeapTree(root: HeapNode, tables: StackTables): HeapRow[] {
  const rows: HeapRow[] = [];
  walkTree(root, tables, ({ allocations }, stackRow) => {
    let [bytes, objects] = [0, 0];
    for (const { sizeBytes, count } of allocations) {
      bytes += sizeBytes * count;
      objects += count;
    }
    if (objects > 0) rows.push({ stackRow, bytes, objects });
  });
  return rows;
}
