import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { AccessModule } from '../features/access/index.js';
import { ComparisonWorkModule } from '../features/comparison/index.js';
import { HealthModule } from '../features/health/index.js';
import { RetentionWorkModule } from '../features/retention/index.js';
import { RollupWorkModule } from '../features/rollup/index.js';
import { JobRunner, Ticks } from '../platform/queue/index.js';
import { JOBS } from './jobs.js';

/** Does what is queued and what comes again and again. Over HTTP it answers only about its health. */
@Module({
  imports: [AccessModule, ComparisonWorkModule, RollupWorkModule, RetentionWorkModule, HealthModule],
})
export class WorkerModule implements OnApplicationBootstrap {
  constructor(
    readonly jobRunner: JobRunner,
    readonly ticks: Ticks,
  ) {}

  onApplicationBootstrap(): void {
    this.jobRunner.start(JOBS);
    this.ticks.start();
  }
}
