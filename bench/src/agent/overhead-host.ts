/**
 * A Fastify server under continuous load, with something switched on and off every few hundred milliseconds in alternating order;
 * measures the CPU of the main thread per request in each slice. One process, so that both sides run the same compiled code.
 * Arguments: what is switched, CPU milliseconds of a request, where batches go, how many seconds.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { switches, type Measured } from './overhead-switches.js';

const SLICE_MS = 350;
/** After a switch, before measuring: what starting and stopping costs is not what running costs. */
const SETTLE_MS = 30;
const AWAITS = 12;

const [what, workMs, url, seconds] = process.argv.slice(2) as [string, string, string, string];
const measured: Measured = switches[what]!(url);
const rounds = calibrate(Number(workMs));

const server = fastify();
let requests = 0;
server.get('/orders/:id', (request, reply) => {
  requests += 1;
  return measured.around(() => handle(request.params as { id: string }, reply.elapsedTime));
});
const address = await server.listen({ port: 0, host: '127.0.0.1' });
const load = spawn(process.execPath, [fileURLToPath(new URL('overhead-load.mjs', import.meta.url)), `${address}/orders/`], {
  stdio: 'ignore',
});

await pause(2_000); // compiled, and the load is there
const pairs: { off: number; on: number }[] = [];
const endAt = performance.now() + Number(seconds) * 1000;
for (let isOnFirst = false; performance.now() < endAt; isOnFirst = !isOnFirst) {
  const first = await slice(isOnFirst);
  const second = await slice(!isOnFirst);
  pairs.push(isOnFirst ? { on: first, off: second } : { off: first, on: second });
}
load.kill();
const rssBytes = process.memoryUsage().rss;
console.log(JSON.stringify({ pairs, rssBytes }));
process.exit();

/** @returns CPU microseconds of the main thread per request. */
async function slice(isOn: boolean): Promise<number> {
  if (isOn) measured.start();
  await pause(SETTLE_MS);
  const [cpuBefore, requestsBefore] = [mainThreadCpuMicros(), requests];
  await pause(SLICE_MS - SETTLE_MS);
  const perRequest = (mainThreadCpuMicros() - cpuBefore) / (requests - requestsBefore);
  if (isOn) await measured.stop();
  return perRequest;
}

async function handle(params: { id: string }, seed: number): Promise<object> {
  let x = seed;
  for (let at = 0; at < AWAITS; at += 1) {
    x += spin(rounds / AWAITS);
    await (at % 4 === 3 ? new Promise(setImmediate) : null);
  }
  return { id: params.id, x };
}

/** Work that no compiler leaves out. */
function spin(count: number): number {
  let x = 1;
  for (let at = 0; at < count; at += 1) x = Math.sqrt(x + at) + 1;
  return x;
}

/** How many rounds of `spin` are so many milliseconds: the fastest of several tries, because others use this machine. */
function calibrate(ms: number): number {
  const tries = Array.from({ length: 30 }, () => {
    const before = performance.now();
    spin(200_000);
    return performance.now() - before;
  });
  return (200_000 / Math.min(...tries)) * ms;
}

/** Linux counts each thread's nanoseconds; elsewhere the whole process has to do. */
function mainThreadCpuMicros(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  } catch {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
}
