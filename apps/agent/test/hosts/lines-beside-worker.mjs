// A worker thread that runs transactions, and ends. argv: how the main thread ends. Says how many there were.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { init, stop, transaction } from '../../dist/index.mjs';

const preload = new URL('../../dist/preload.mjs', import.meta.url).href;
if (isMainThread) {
  init({ periodMs: 1_000 });
  const worker = new Worker(new URL(import.meta.url), { execArgv: ['--import', preload] });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.once('message', (runs) => console.log(runs));
  await ended;
  if (process.argv[2] === 'stop') await stop();
} else {
  let runs = 0;
  const timer = setInterval(() => transaction('job', () => (runs += 1)), 20);
  setTimeout(() => {
    clearInterval(timer);
    parentPort.postMessage(runs);
  }, 3_500);
}
