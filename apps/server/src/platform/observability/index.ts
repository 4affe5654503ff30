export { createLogger, LOGGER, nestLogger } from './logger.js';
export { Metrics } from './metrics.js';
