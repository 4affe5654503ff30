import { Injectable } from '@nestjs/common';
import { WorkerPool } from '../../platform/worker-pool/index.js';

/** Two, so that one hostile file does not hold up every agent. */
const THREADS = 2;

/** Threads for decoding alone: behind questions and comparisons, which take seconds, senders would run into their timeouts. */
@Injectable()
export class IngestThreads extends WorkerPool {
  constructor() {
    super(THREADS);
  }
}
