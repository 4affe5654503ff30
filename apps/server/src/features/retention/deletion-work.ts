import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { JobRunner, Queues, Ticks } from '../../platform/queue/index.js';
import { deleteData } from './delete-data.job.js';
import { DeletionRun } from './deletion-run.js';
import { Deletions } from './deletions.repository.js';

/** What the worker role does about orders to delete: finds those that are not done, and carries them out. The table is the memory, the queue only spreads the work. */
@Injectable()
export class DeletionWork {
  constructor(
    private readonly deletions: Deletions,
    private readonly queues: Queues,
    run: DeletionRun,
    jobs: JobRunner,
    ticks: Ticks,
    @Inject(ENVIRONMENT) environment: Environment,
  ) {
    jobs.handle(deleteData, (key) => run.run(key));
    ticks.every('queue deletions', environment.tickMs, () => this.queueOpen());
  }

  /** Two workers may both: the ids are the same. */
  async queueOpen(): Promise<void> {
    for (const { serviceId, id } of await this.deletions.listOpen(Date.now()))
      await this.queues.add(deleteData, { serviceId, id });
  }
}
