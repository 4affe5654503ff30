import { Module } from '@nestjs/common';
import { AccessModule } from '../features/access/index.js';
import { DashboardHostModule } from '../features/dashboard-host/index.js';
import { HealthModule } from '../features/health/index.js';

/** Answers HTTP: takes batches in, answers questions, serves the dashboard. */
@Module({
  imports: [AccessModule, HealthModule, DashboardHostModule.where()],
})
export class ApiModule {}
