/**
 * The server with something on for as long as it lives, as in a service: what is switched is new code to V8 each time. Measures its CPU per request.
 * Arguments: what is on, CPU milliseconds of a request, where batches go, how many seconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openServer } from './overhead-server.js';
import { switches } from './overhead-switches.js';

/** Until V8 has compiled what is on, too. */
const WARM_UP_MS = 3_000;

const [what, workMs, url, seconds] = process.argv.slice(2) as [string, string, string, string];
const measured = switches[what]!(url);
const server = await openServer(measured, Number(workMs));
measured.start();
await pause(WARM_UP_MS);
const micros = await server.cpuPerRequest(Number(seconds) * 1000);
server.endLoad();
console.log(JSON.stringify({ micros }));
process.exit();
