import { getEnvironmentData, isMainThread } from 'node:worker_threads';
import { sharedAgent } from './shared-agent.js';
import { THREAD_PLACE } from './threads/thread-messages.js';

// Every worker thread loads what its process preloads; where no agent runs in the main thread it has nobody to tell.
if (isMainThread || getEnvironmentData(THREAD_PLACE) !== undefined) sharedAgent().init({});
