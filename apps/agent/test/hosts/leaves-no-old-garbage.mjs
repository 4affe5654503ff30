// Many short requests with a step and a wait in each. Prints the bytes that only a full collection takes away: what has become old without need.
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { init, span, stop } from '@hearth/agent';

init({ periodMs: 60_000 }); // what a flush leaves behind is of another kind

const server = createServer(async (request, response) => {
  await span('step', () => wait(1));
  response.end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const { port } = server.address();
const ask = () =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
const round = async (count) => {
  for (let at = 0; at < count; at += 50) await Promise.all(Array.from({ length: 50 }, ask));
};
const used = () => process.memoryUsage().heapUsed;

await round(1_000);
globalThis.gc();
await round(12_000);
globalThis.gc({ type: 'minor' });
globalThis.gc({ type: 'minor' });
const before = used();
globalThis.gc();
console.log(JSON.stringify({ oldGarbageBytes: before - used() }));
agent.destroy();
server.close();
await stop();
