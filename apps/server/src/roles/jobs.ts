import type { Job } from '../platform/queue/index.js';

/** Every job there is. A worker refuses to start when one of them has no handler. */
export const JOBS: readonly Pick<Job<never>, 'name'>[] = [];
