export { defineJob } from './define-job.js';
export type { Job } from './define-job.js';
export { JobRunner } from './job-runner.js';
export { Queues } from './queues.js';
export type { QueueBackend } from './queue-backends.js';
export { Ticks } from './ticks.js';
