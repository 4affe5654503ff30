import { isMainThread } from 'node:worker_threads';
import { sharedAgent } from './shared-agent.js';

// Every worker thread loads what its process preloads; only the main thread is profiled.
if (isMainThread) sharedAgent().init({});
