/**
 * The server with something switched on and off every few hundred milliseconds in alternating order; measures its CPU per request in each
 * slice. One process, so that both sides run the same compiled code.
 * Arguments: what is switched, CPU milliseconds of a request, where batches go, how many seconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openServer } from './overhead-server.js';
import { switches, type Measured } from './overhead-switches.js';

const SLICE_MS = 350;
/** After a switch, before measuring: what starting and stopping costs is not what running costs. */
const SETTLE_MS = 30;

const [what, workMs, url, seconds] = process.argv.slice(2) as [string, string, string, string];
const measured: Measured = switches[what]!(url);
const server = await openServer(measured, Number(workMs));
const pairs: { off: number; on: number }[] = [];
const endAt = performance.now() + Number(seconds) * 1000;
for (let isOnFirst = false; performance.now() < endAt; isOnFirst = !isOnFirst) {
  const first = await slice(isOnFirst);
  const second = await slice(!isOnFirst);
  pairs.push(isOnFirst ? { on: first, off: second } : { off: first, on: second });
}
server.endLoad();
const rssBytes = process.memoryUsage().rss;
console.log(JSON.stringify({ pairs, rssBytes }));
process.exit();

/** @returns CPU microseconds of the main thread per request. */
async function slice(isOn: boolean): Promise<number> {
  if (isOn) measured.start();
  await pause(SETTLE_MS);
  const perRequest = await server.cpuPerRequest(SLICE_MS - SETTLE_MS);
  if (isOn) await measured.stop();
  return perRequest;
}
