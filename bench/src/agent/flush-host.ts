/**
 * Runs many different stacks under the agent, so that a period's tree is as large as that of a large service; prints its memory, the median of 50 looks in the second half.
 * Arguments: where batches go, or `off`; how many seconds.
 */
import { init, stop } from '@hearth/agent';
import { median } from './figures.js';

const [url, seconds] = process.argv.slice(2) as [string, string];
const FUNCTIONS = 300;
/** Each calls others at random, so that nearly every sample has a stack of its own. */
const functions: ((depth: number) => number)[] = [];
for (let at = 0; at < FUNCTIONS; at += 1) {
  functions.push(
    // oxlint-disable-next-line typescript/no-implied-eval -- hundreds of functions, each with a name of its own
    new Function(
      'next',
      `return function f${at}(depth) { let x = depth; for (let i = 0; i < 300; i += 1) x = Math.sqrt(x + i) + 1; return depth > 0 ? next(depth - 1) + x : x; }`,
    )(next),
  );
}
function next(depth: number): number {
  return functions[Math.floor(Math.random() * FUNCTIONS)]!(depth);
}

if (url !== 'off')
  init({
    url,
    key: 'bench',
    service: 'bench',
    revision: 'bench',
    rateHz: 99,
    periodMs: 3_000,
    logger: { info: () => {}, warn: () => {} },
  });
const startAt = performance.now();
const durationMs = Number(seconds) * 1000;
const kept: object[] = [];
const rssBytes: number[] = [];
for (let age = 0; age < durationMs; age = performance.now() - startAt) {
  if (age > (durationMs / 100) * (rssBytes.length + 50)) rssBytes.push(process.memoryUsage.rss());
  for (let at = 0; at < 200; at += 1) next(Math.floor(Math.random() * 12));
  kept[kept.length % 10_000] = { at: kept.length };
  await new Promise(setImmediate);
}
await stop();
console.log(JSON.stringify({ rssBytes: median(rssBytes) }));
