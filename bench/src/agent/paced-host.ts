/**
 * A Fastify service that has little to do, under fifty requests a second from a process of its own, after some seconds of many: each works for a tenth of a millisecond, asks another service, and waits
 * for a timer. Measures the CPU of the whole process per request. Arguments: what is on, where batches go, the other service.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { spin } from './spin.js';
import { switches } from './overhead-switches.js';

const HALF_ROUNDS = 10_000;
const TIMER_MS = 50;
/** As much as it takes at first: V8 compiles as much as in a service that is hours old. */
const BURST_MS = 8_000;
/** What is measured sends for the first time then, by streams and a client of Node's: the host's code that uses these is compiled anew for both. */
const SENDS_AFTER_MS = 3_000;
/** So long that what the agent has saved for captures is spent. */
const QUIET_MS = 10_000;
/** A period of the agent: with one flush. */
const MEASURED_MS = 10_000;

const [what, url, peerUrl] = process.argv.slice(2) as [string, string, string];
const measured = switches[what]!(url, MEASURED_MS);
let requests = 0;
const server = fastify();
server.get('/orders/:id', (request) => measured.around(() => order(request.params as { id: string })));
const address = await server.listen({ port: 0, host: '127.0.0.1' });
await pause(1_000); // what is measured has been loaded
measured.start();
const load = spawn(process.execPath, [
  fileURLToPath(new URL('paced-load.mjs', import.meta.url)),
  `${address}/orders/`,
  String(BURST_MS),
]);
await pause(SENDS_AFTER_MS);
await measured.stop();
measured.start();
await pause(BURST_MS - SENDS_AFTER_MS + QUIET_MS);
const [before, requestsBefore] = [process.cpuUsage(), requests];
await pause(MEASURED_MS);
const { user, system } = process.cpuUsage(before);
load.kill();
console.log(JSON.stringify({ micros: (user + system) / (requests - requestsBefore) }));
process.exit();

async function order({ id }: { id: string }): Promise<object> {
  requests += 1;
  const first = spin(HALF_ROUNDS);
  const answer = await fetch(peerUrl);
  const stock: unknown = await answer.json();
  await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
  return { id, stock, x: first + spin(HALF_ROUNDS) };
}
