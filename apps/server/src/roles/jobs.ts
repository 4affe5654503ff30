import { runComparison } from '../features/comparison/index.js';
import { deleteData, keepPinned } from '../features/retention/index.js';
import { buildRollup } from '../features/rollup/index.js';
import type { Job } from '../platform/queue/index.js';

/** Every job there is. A worker refuses to start when one of them has no handler. */
export const JOBS: readonly Pick<Job<never>, 'name'>[] = [buildRollup, deleteData, keepPinned, runComparison];
