import type { StackIndex } from '@hearth/profile-model';
import type { StackTables } from './stack-tables.js';

/** Samples who allocates. There is one sampling heap profiler in an isolate, so one of these at a time: a second start says nothing and reads the first one's samples. */
export interface MemorySampler {
  /** What the heap holds at the end of a period, or all that was allocated within it, dead or alive. */
  readonly measures: 'in-use' | 'allocations';
  start(): void;
  /** Ends one period and begins the next. */
  read(tables: StackTables): MemoryRow[];
  stop(): void;
}

/** By the stack that allocated it; both estimated by V8 from its samples. */
export interface MemoryRow {
  readonly stackRow: StackIndex;
  readonly bytes: number;
  /** Objects in use; of allocations the raw samples, because V8 tells no number of objects. */
  readonly count: number;
}

/** Bytes allocated between two samples, on average. */
export const SAMPLE_INTERVAL_BYTES = 512 * 1024;
export const MAX_STACK_DEPTH = 64;
