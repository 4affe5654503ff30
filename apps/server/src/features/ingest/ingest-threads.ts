import { Injectable } from '@nestjs/common';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import type { DecodeBatchesTask } from './decode-batches.worker.js';
import { FairQueue } from './fair-queue.js';
import type { ReadProfileTask } from './read-profile.worker.js';

/** Two, so that one hostile file does not hold up every agent. */
const THREADS = 2;

/** Threads for decoding alone: behind questions and comparisons, which take seconds, senders would run into their timeouts. */
@Injectable()
export class IngestThreads extends WorkerPool {
  readonly #waiting = new FairQueue<number, () => void>();
  #busy = 0;

  constructor() {
    super(THREADS, 0); // seldom needed: small bodies are read without
  }

  /** Runs the task, whose body moves to the thread; projects take turns. */
  async decode<Result>(projectId: number, file: string, task: DecodeBatchesTask | ReadProfileTask): Promise<Result> {
    if (this.#busy === THREADS) await new Promise<void>((go) => this.#waiting.push(projectId, go));
    else this.#busy += 1;
    try {
      return await this.run<typeof task, Result>(file, task, { transferList: [task.body.buffer] });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next(); // takes this one's place
    }
  }
}
