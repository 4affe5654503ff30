import { Module } from '@nestjs/common';
import { AccessApiModule } from '../features/access/index.js';
import { CatalogApiModule } from '../features/catalog/index.js';
import { ComparisonModule } from '../features/comparison/index.js';
import { DashboardHostModule } from '../features/dashboard-host/index.js';
import { HealthModule } from '../features/health/index.js';
import { IngestModule } from '../features/ingest/index.js';
import { LimitsApiModule } from '../features/limits/index.js';
import { QueryModule } from '../features/query/index.js';
import { RetentionModule } from '../features/retention/index.js';

/** Answers HTTP: takes batches in, answers questions, serves the dashboard. */
@Module({
  imports: [
    // First: routes are tried in the order of their modules, and most requests are batches.
    IngestModule,
    AccessApiModule,
    CatalogApiModule,
    LimitsApiModule,
    QueryModule,
    ComparisonModule,
    RetentionModule,
    HealthModule,
    DashboardHostModule.where(),
  ],
})
export class ApiModule {}
