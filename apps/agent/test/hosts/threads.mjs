// Worker threads that end in each way there is, beside one that works on until the end. Says what each counted and how it ended.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { flush, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

function workerWork(ms) {
  burn(ms);
}
function mainWork(ms) {
  burn(ms);
}
async function work(runs) {
  for (let run = 0; run < runs; run += 1) {
    await transaction('threaded', { end: workerData.end }, async () => {
      workerWork(10);
      await pause(2);
    });
  }
}

if (isMainThread) {
  const start = (end, name) =>
    new Worker(new URL(import.meta.url), { workerData: { end }, stderr: true, ...(name === undefined ? {} : { name }) });
  const ends = ['natural', 'exit', 'throw', 'terminated'].map(
    (end, at) =>
      new Promise((resolve) => {
        const worker = start(end, `pool-${at}`);
        worker.on('error', () => {});
        worker.on('message', () => worker.terminate());
        worker.on('exit', (code) => resolve(`${end} ${end === 'terminated' ? '' : code}`));
      }),
  );
  const lives = start('lives');
  for (let at = 0; at < 30; at += 1) {
    transaction('main', () => mainWork(10));
    await pause(20);
  }
  console.log((await Promise.all(ends)).join());
  lives.postMessage('end');
  await new Promise((resolve) => lives.once('exit', resolve));
  await flush();
} else {
  await work(20);
  if (workerData.end === 'exit') process.exit(3);
  if (workerData.end === 'throw') throw new Error('of the worker');
  if (workerData.end === 'terminated') {
    parentPort.postMessage('now');
    setInterval(() => burn(5), 6);
  }
  if (workerData.end === 'lives') {
    transaction('long', () => workerWork(300)); // long enough to be sampled on any machine
    let isOver = false;
    parentPort.once('message', () => (isOver = true));
    while (!isOver) {
      workerWork(5);
      await pause(5);
    }
  }
}
