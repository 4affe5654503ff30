import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { LinesModule } from '../lines/index.js';
import { ProcessMetricsModule } from '../process-metrics/index.js';
import { RollupModule } from '../rollup/index.js';
import { SelectionModule } from '../selection/index.js';
import { SourceMapsModule } from '../source-maps/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { ExemplarQueries } from './exemplar-queries.js';
import { LineQueries } from './line-queries.js';
import { MeasureQueries } from './measure-queries.js';
import { MeasuresController } from './measures.controller.js';
import { ProcessMetricQueries } from './process-metric-queries.js';
import { ProfileQueries } from './profile-queries.js';
import { ProfilesController } from './profiles.controller.js';
import { QueryGate } from './query-gate.js';
import { ServiceQueries } from './service-queries.js';
import { ServicesController } from './services.controller.js';
import { TimelineQueries } from './timeline-queries.js';
import { TransactionQueries } from './transaction-queries.js';
import { TransactionsController } from './transactions.controller.js';

@Module({
  imports: [
    CatalogModule,
    LinesModule,
    ProcessMetricsModule,
    RollupModule,
    SelectionModule,
    SourceMapsModule,
    TransactionsModule,
  ],
  controllers: [MeasuresController, ProfilesController, ServicesController, TransactionsController],
  providers: [
    { provide: QueryGate, useFactory: () => new QueryGate() },
    ExemplarQueries,
    LineQueries,
    MeasureQueries,
    ProcessMetricQueries,
    ProfileQueries,
    ServiceQueries,
    TimelineQueries,
    TransactionQueries,
  ],
})
export class QueryModule {}
