// Ends a period each few milliseconds, as a handler of Lambda does. argv: how many ms. Prints the CPU of its thread and the time, in ms: what periods must hold at least, and at most.
import { readFileSync } from 'node:fs';
import { flush, init, stop } from '../../dist/index.mjs';
import { burn } from './work.mjs';

const now = () => ({
  cpu: Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6,
  wall: performance.now(),
});
const since = ({ cpu, wall }) => ({ cpu: now().cpu - cpu, wall: now().wall - wall });

const eachMs = Number(process.argv[2]);
const beforeInit = now();
init({ periodMs: 60_000, waits: 'off', heap: 'off' });
const afterInit = now();
for (let at = 0; at < 1_500 / eachMs; at += 1) {
  burn(eachMs);
  await flush();
}
const least = since(afterInit);
await stop();
console.log(JSON.stringify({ least, most: since(beforeInit) }));
