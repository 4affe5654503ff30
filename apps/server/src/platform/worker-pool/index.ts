export { WorkerPool } from './worker-pool.js';
export type { TaskOptions } from './worker-pool.js';
