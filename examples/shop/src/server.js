/** Starts the shop. Started as `node --import @hearth/agent/preload src/server.js`, it is profiled without a line of code. */
import { createServer } from 'node:http';
import { createApp } from './app.js';
import { startPriceIndex } from './jobs/price-index.js';
import { served } from './served.js';

const PRICE_INDEX_EVERY_MS = 2_000;

let ownUrl = '';
const server = createServer(createApp(() => ownUrl));
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  ownUrl = `http://127.0.0.1:${server.address().port}`;
  startPriceIndex(PRICE_INDEX_EVERY_MS);
  if (process.send === undefined) console.log(`the shop listens on ${ownUrl}`);
  else process.send({ url: ownUrl });
});

// A parent that started us with a channel may ask what was served.
process.on('message', (message) => {
  if (message?.ask === 'served') process.send({ served: { ...served }, cpuMicros: cpuMicros() });
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

function cpuMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
