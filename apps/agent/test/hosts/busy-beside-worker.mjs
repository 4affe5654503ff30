// Its only worker thread begins and ends while the main thread is busy.
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { flush, transaction } from '../../dist/index.mjs';

if (isMainThread) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: flag });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  Atomics.wait(flag, 0, 0, 20_000);
  await ended;
  await flush();
} else {
  for (let run = 0; run < 100; run += 1) transaction('in worker', () => {});
  process.on('exit', () => {
    // after the agent's own last words
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
}
