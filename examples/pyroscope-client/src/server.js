/**
 * A small service profiled by the published Pyroscope client; Hearth takes its profiles as they come.
 *
 *   PYROSCOPE_SERVER_ADDRESS=http://127.0.0.1:4040 PYROSCOPE_AUTH_TOKEN=<key> node src/server.js
 */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import Pyroscope from '@pyroscope/nodejs';

Pyroscope.init({
  serverAddress: process.env.PYROSCOPE_SERVER_ADDRESS ?? 'http://127.0.0.1:4040',
  appName: process.env.PYROSCOPE_APPLICATION_NAME ?? 'thumbnails',
  authToken: process.env.PYROSCOPE_AUTH_TOKEN,
  // Hearth reads the release and the environment from these two.
  tags: { revision: process.env.REVISION ?? 'unknown', environment: process.env.ENVIRONMENT ?? 'production' },
  flushIntervalMs: Number(process.env.FLUSH_INTERVAL_MS ?? 15_000),
  wall: { collectCpuTime: true },
});
Pyroscope.start();

const routes = {
  '/scale': async () => {
    const pixels = scale(640);
    // What runs after an await is no longer inside wrapWithLabels: this half of the work has no `route` label.
    await delay(2);
    return sharpen(pixels).length;
  },
  '/report': () => report(4_000).length,
};

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const handle = routes[pathname];
  if (handle === undefined) {
    response.writeHead(404).end();
    return;
  }
  Pyroscope.wrapWithLabels({ route: `${request.method} ${pathname}` }, () => {
    void Promise.resolve(handle()).then(
      (result) => response.end(`${result}\n`),
      () => response.writeHead(500).end(),
    );
  });
});
server.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', () => {
  const { port } = server.address();
  if (process.send === undefined) console.log(`listening on http://127.0.0.1:${port}`);
  else process.send({ url: `http://127.0.0.1:${port}` });
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    // The client keeps an ended process alive until it is stopped.
    void Pyroscope.stop().finally(() => process.exit(0));
  });
}

/** A picture, made smaller: means over squares of four pixels. */
function scale(width) {
  const pixels = new Float64Array(width * width);
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = Math.sin(at) * Math.cos(at / width);
  const smaller = new Float64Array(pixels.length / 4);
  for (let at = 0; at < smaller.length; at += 1)
    smaller[at] = (pixels[4 * at] + pixels[4 * at + 1] + pixels[4 * at + 2] + pixels[4 * at + 3]) / 4;
  return smaller;
}

/** Each pixel against its neighbours, over and over. */
function sharpen(pixels) {
  for (let pass = 0; pass < 10; pass += 1) {
    for (let at = 1; at < pixels.length - 1; at += 1) pixels[at] = 1.2 * pixels[at] - 0.1 * (pixels[at - 1] + pixels[at + 1]);
  }
  return pixels;
}

function report(lines) {
  let text = '';
  for (let line = 0; line < lines; line += 1)
    text += `${line};${(Math.sqrt(line) * 100).toFixed(3)};${String(line * 7919).padStart(12, '0')}\n`;
  return text;
}
