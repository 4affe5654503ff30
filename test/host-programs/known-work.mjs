/** Serves a known number of requests and runs a known number of custom transactions under the agent, prints the numbers, ends. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, init, stop, tag, transaction } from '@hearth/agent';

const [requests, imports] = process.argv.slice(2).map(Number);
init({ periodMs: 2_000 });

function busyFor(milliseconds) {
  const until = performance.now() + milliseconds;
  let sum = 0;
  while (performance.now() < until) for (let step = 0; step < 1_000; step += 1) sum += Math.sqrt(step);
  return sum;
}

const server = createServer(async (_request, response) => {
  busyFor(6);
  await sleep(2);
  busyFor(6);
  response.end('served');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

async function importOrders(index) {
  await transaction('import orders', { plan: index % 2 === 0 ? 'free' : 'pro' }, async () => {
    busyFor(5);
    await sleep(1);
    tag({ region: 'eu' });
    busyFor(5);
  });
}

for (let round = 0; round < Math.max(requests, imports); round += 1) {
  const work = [];
  if (round < requests) work.push(fetch(`http://127.0.0.1:${port}/orders/${round}`).then((response) => response.text()));
  if (round < imports) work.push(importOrders(round));
  await Promise.all(work);
}
server.close();
server.closeAllConnections();
// Until the server has all of it: on a busy machine one flush may give up before its answer comes.
for (let tries = 0; tries < 30 && !(await flush()); tries += 1) await sleep(500);
await stop();
console.log(JSON.stringify({ requests, imports }));
