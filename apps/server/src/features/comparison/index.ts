export { ComparisonRepository } from './comparison.repository.js';
export { ComparisonModule, ComparisonWorkModule } from './comparison.module.js';
export { runComparison } from './run-comparison.job.js';
