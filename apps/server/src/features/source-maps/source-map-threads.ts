import { Injectable } from '@nestjs/common';
import { WorkerPool } from '../../platform/worker-pool/index.js';

/** Room for the largest map that is taken: two million places, with all their sources. */
const READING_HEAP_MB = 1_024;
/** Room for the largest map beside those that are kept. */
const FINDING_HEAP_MB = 768;

/** Threads for maps only, one each: a map that is too much fails alone, and the memory goes with the thread when nobody needs it for half a minute. */
@Injectable()
export class MapReadingThread extends WorkerPool {
  constructor() {
    super(1, 0, READING_HEAP_MB);
  }
}

/** Apart from reading: batches wait for it. */
@Injectable()
export class FunctionFindingThread extends WorkerPool {
  constructor() {
    super(1, 0, FINDING_HEAP_MB);
  }
}
