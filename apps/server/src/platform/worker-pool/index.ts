export { WorkerPool, type TaskOptions } from './worker-pool.js';
