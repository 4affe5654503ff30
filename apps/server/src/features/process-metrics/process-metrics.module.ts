import { Module } from '@nestjs/common';
import { ProcessSeriesRepository } from './process-series.repository.js';
import { ProcessSeries } from './process-series.js';

@Module({ providers: [ProcessSeriesRepository, ProcessSeries], exports: [ProcessSeries] })
export class ProcessMetricsModule {}
