import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { JobRunner, Queues, Ticks } from '../../platform/queue/index.js';
import { WorkerPool } from '../../platform/worker-pool/index.js';
import { ComparisonRunner } from './comparison-runner.js';
import { ComparisonRepository } from './comparison.repository.js';
import { ComparisonSides } from './comparison-sides.js';
import { runComparison } from './run-comparison.job.js';

/** Queued in one turn; more wait for the next. */
const MAX_QUEUED = 100;

/** What the worker role does for comparisons: finds rows that nobody works on, and runs them. The table is the memory, the queue only spreads the work. */
@Injectable()
export class ComparisonWork implements OnModuleInit {
  constructor(
    readonly repository: ComparisonRepository,
    readonly sides: ComparisonSides,
    readonly pool: WorkerPool,
    readonly queues: Queues,
    readonly jobs: JobRunner,
    readonly ticks: Ticks,
    @Inject(ENVIRONMENT) readonly environment: Environment,
  ) {}

  onModuleInit(): void {
    const runner = new ComparisonRunner(this.repository, this.pool, (comparison, signal) =>
      this.sides.gather(comparison, signal),
    );
    this.jobs.handle(runComparison, (payload) => runner.run(payload));
    this.ticks.every('queue-comparisons', this.environment.tickMs, () => this.queueUnattended());
  }

  /** Queues what is pending or was left by a worker that is gone. Two workers may both: the ids are the same. */
  async queueUnattended(): Promise<void> {
    for (const comparison of await this.repository.listUnattended(MAX_QUEUED)) await this.queues.add(runComparison, comparison);
  }
}
