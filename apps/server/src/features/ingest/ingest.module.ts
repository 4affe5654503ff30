import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { CommandsModule } from '../commands/index.js';
import { LimitsModule } from '../limits/index.js';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { ProfileStoreModule } from '../profile-store/index.js';
import { SourceMapsApiModule } from '../source-maps/index.js';
import { StacksModule } from '../stacks/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { BacklogWatch } from './backlog-watch.js';
import { BatchIntake } from './batch-intake.js';
import { BatchNaming } from './batch-naming.js';
import { BatchesController } from './batches.controller.js';
import { BodyIntake } from './body-intake.js';
import { IngestGate } from './ingest-gate.js';
import { IngestMetrics } from './ingest-metrics.js';
import { IngestThreads } from './ingest-threads.js';
import { InstallController } from './install.controller.js';
import { ProfileIntake } from './profile-intake.js';
import { ProfilesController } from './profiles.controller.js';
import { PyroscopeController } from './pyroscope.controller.js';
import { Storing } from './storing.js';

@Module({
  imports: [
    LimitsModule,
    CatalogModule,
    CommandsModule,
    SourceMapsApiModule,
    StacksModule,
    ProcessMetricsModule,
    ProfileStoreModule,
    TransactionsModule,
  ],
  controllers: [BatchesController, ProfilesController, PyroscopeController, InstallController],
  providers: [
    BacklogWatch,
    BatchIntake,
    BatchNaming,
    BodyIntake,
    IngestGate,
    IngestMetrics,
    IngestThreads,
    ProfileIntake,
    Storing,
  ],
})
export class IngestModule {}
