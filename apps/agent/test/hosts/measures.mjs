// Measures snippets: sync, async, failing, in a transaction, in worker threads, with more names than there may be. argv `cost`: only says what one run costs.
import { Worker, isMainThread } from 'node:worker_threads';
import { flush, init, measure, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

const before = measure('early', () => 'not measured yet');
init({ periodMs: 1_000 });

function small(at) {
  return at + 1;
}
const say = [before];
if (process.argv[2] === 'cost') {
  const runs = 3_000_000;
  const timeOf = (fn) => {
    const from = performance.now();
    for (let at = 0; at < runs; at += 1) fn(at);
    return ((performance.now() - from) * 1e6) / runs;
  };
  for (let round = 0; round < 5; round += 1) {
    const alone = timeOf(small);
    const measured = timeOf((at) => measure('small', () => small(at)));
    console.log(`ns a call: ${alone.toFixed(1)} alone, ${measured.toFixed(1)} measured`);
  }
  const from = performance.now();
  for (let at = 0; at < 300_000; at += 1) await measure('small', async () => at);
  console.log(`ns an awaited call: ${(((performance.now() - from) * 1e6) / 300_000).toFixed(0)} measured`);
} else if (isMainThread) {
  const workers = [1, 2].map(() => new Worker(new URL(import.meta.url)));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  let sum = 0;
  for (let at = 0; at < 10_000; at += 1) sum += measure('small', () => small(at));
  say.push(sum);
  await transaction('job', async () => {
    await measure('slow', () => pause(50));
    measure('busy', () => burn(200));
  });
  for (const fail of [
    () => Promise.reject(new Error('later')),
    () => {
      throw new Error('now');
    },
  ]) {
    try {
      await measure('fails', fail);
    } catch (error) {
      say.push(error.message);
    }
  }
  for (let at = 0; at < 250; at += 1) measure(`name ${at}`, () => at);
  await flush();
  await stop();
  say.push(measure('late', () => 'not measured any more'));
  console.log(say.join());
} else {
  for (let at = 0; at < 100; at += 1) measure('threaded', () => small(at));
}
