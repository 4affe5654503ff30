import { Worker, isMainThread } from 'node:worker_threads';
import { burn } from './work.mjs';

burn(60);
if (isMainThread) {
  const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url)));
  const codes = await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  console.log(codes.join());
}
