import { Injectable } from '@nestjs/common';
import type { Job } from './define-job.js';
import { Queues } from './queues.js';

interface Handler {
  readonly job: Job<unknown>;
  readonly run: (payload: unknown) => Promise<void>;
  readonly concurrency: number;
}

/** Who does which job. In the worker role each feature registers its processors while its module starts. */
@Injectable()
export class JobRunner {
  readonly #queues: Queues;
  readonly #handlers = new Map<string, Handler>();

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /**
   * Names the function that does `job`. It may run twice for the same payload, also at once on two workers.
   *
   * @param concurrency - Jobs of this kind that run at once in this process.
   */
  handle<Payload>(job: Job<Payload>, run: (payload: Payload) => Promise<void>, concurrency = 1): void {
    if (this.#handlers.has(job.name)) throw new Error(`job ${job.name} has two handlers`);
    this.#handlers.set(job.name, { job: job as Job<unknown>, run: run as (payload: unknown) => Promise<void>, concurrency });
  }

  /** Starts the work. @throws when a job of `expected` has no handler or a handler has no job: a worker that would silently do nothing. */
  start(expected: readonly Pick<Job<unknown>, 'name'>[]): void {
    const names = new Set(expected.map((job) => job.name));
    const missing = [...names].filter((name) => !this.#handlers.has(name));
    const unknown = [...this.#handlers.keys()].filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`no handler for job ${missing.join(', ')}`);
    if (unknown.length > 0) throw new Error(`handler for ${unknown.join(', ')}, which roles/jobs.ts does not list`);
    for (const { job, run, concurrency } of this.#handlers.values()) {
      this.#queues.work(job.name, (queued) => run(job.parse(queued.data)), concurrency);
    }
  }
}
