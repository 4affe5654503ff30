import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { HearthError } from '../http/hearth-error.js';
import type { Job } from './define-job.js';
import { connectQueues, type OpenQueue, type OpenWorker, type QueueBackend, type QueuedJob } from './queue-backends.js';

/** With Redis away BullMQ's `add` neither resolves nor rejects. */
const ADD_TIMEOUT_MS = 5_000;
const RETRY_DELAY_MS = 1_000;
/** For the connections, once the jobs are done: one to a master that was away may not end by itself. */
const CLOSE_TIMEOUT_MS = 5_000;
/** The same on every worker, or one takes another's running jobs for stalled. */
const STALLED_INTERVAL_MS = 15_000;

/** The queue, on either backend. Holds work that is recorded in the database as well: it may be emptied at any time. */
@Injectable()
export class Queues implements BeforeApplicationShutdown {
  readonly #open: { close(): Promise<unknown> }[] = [];
  readonly #queues = new Map<string, OpenQueue>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #classes;
  readonly #logger: Logger;

  constructor(place: QueueBackend, logger: Logger) {
    this.#logger = logger;
    this.#classes = connectQueues(place);
  }

  /**
   * Adds work, once for each id until it has run.
   *
   * @throws {HearthError} `QUEUE_UNAVAILABLE`. The job may still be added later: its id names the work.
   */
  async add<Payload>(job: Job<Payload>, payload: Payload): Promise<void> {
    const added = this.#queue(job.name).add(job.name, payload, {
      jobId: job.id(payload),
      attempts: job.attempts,
      backoff: { type: 'exponential', delay: RETRY_DELAY_MS },
      // An id that the queue still knows is never run again, finished or failed.
      removeOnComplete: true,
      removeOnFail: true,
    });
    const outcome = await Promise.race([
      added.then(
        () => 'added' as const,
        (error: unknown) => error,
      ),
      sleep(ADD_TIMEOUT_MS, 'late' as const, { ref: false }),
    ]);
    if (outcome === 'added') return;
    throw new HearthError(
      'QUEUE_UNAVAILABLE',
      `${job.name} could not be queued within ${ADD_TIMEOUT_MS} ms: the ${outcome === 'late' ? 'queue does not answer' : 'queue refused it'}`,
      {
        status: 503,
        retryAfterSeconds: 5,
        cause: outcome,
      },
    );
  }

  /** Runs `run` for each job of that name; a rejection makes the queue try again. */
  work(name: string, run: (job: QueuedJob) => Promise<unknown>, concurrency: number): void {
    const tracked = async (job: QueuedJob) => {
      const running = run(job);
      this.#running.add(running);
      try {
        return await running;
      } finally {
        this.#running.delete(running);
      }
    };
    const worker = this.#classes.openWorker(name, tracked, { concurrency, stalledInterval: STALLED_INTERVAL_MS });
    worker.on('failed', (job, error) => {
      this.#logger.error({ err: error, job: job?.id, attempt: job?.attemptsMade }, `job ${name} failed`);
    });
    this.#keep(worker);
  }

  /** Resolves when the queue answers. @throws when it does not. */
  async ping(): Promise<void> {
    const queue = this.#queue('ping');
    const outcome = await Promise.race([queue.getWaitingCount(), sleep(2_000, 'late' as const, { ref: false })]);
    if (outcome === 'late')
      throw new HearthError('QUEUE_UNAVAILABLE', 'the queue does not answer', { status: 503, retryAfterSeconds: 5 });
  }

  /** Waits for running jobs. Before the data source is destroyed: they use it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#open.splice(0).map((one) => one.close()));
    closing.catch(() => undefined); // also when it comes too late for anybody to hear
    for (;;) {
      await Promise.allSettled(this.#running);
      const outcome = await Promise.race([closing, sleep(CLOSE_TIMEOUT_MS, 'late' as const, { ref: false })]);
      if (outcome === 'late' && this.#running.size > 0) continue;
      if (outcome === 'late') this.#logger.warn(`the queue did not close within ${CLOSE_TIMEOUT_MS} ms`);
      break;
    }
    this.#classes.disconnect();
  }

  #queue(name: string): OpenQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = this.#keep(this.#classes.openQueue(name));
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #keep<Kind extends OpenQueue | OpenWorker>(one: Kind): Kind {
    // Without a listener an error of the connection would end the process.
    one.on('error', (error) => {
      this.#logger.warn({ err: error }, 'queue connection');
    });
    this.#open.push(one);
    return one;
  }
}
