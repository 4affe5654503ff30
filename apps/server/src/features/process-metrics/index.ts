export { ProcessMetricsModule } from './process-metrics.module.js';
export { ProcessSeriesRepository } from './process-series.repository.js';
export type { ProcessMeasurement, SeriesStep, StepPeriods } from './process-series.repository.js';
export { ProcessSeries } from './process-series.js';
