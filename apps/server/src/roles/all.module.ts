import { Module } from '@nestjs/common';
import { ApiModule } from './api.module.js';
import { WorkerModule } from './worker.module.js';

/** One process that is both: the default, and enough for a team. */
@Module({ imports: [ApiModule, WorkerModule] })
export class AllModule {}
