// Does what services do, with whatever was done to its surroundings; prints what came of it. argv: what it does to them itself
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { burn, pause } from './work.mjs';

const realNow = Date.now;
const changes = {
  nothing: () => {},
  'the clock an hour back': () => {
    Date.now = () => realNow() - 3_600_000;
  },
  'the clock a year ahead': () => {
    Date.now = () => realNow() + 365 * 86_400_000;
  },
  'the clock all over': () => {
    Date.now = () => realNow() + Math.round((Math.random() - 0.5) * 1e11);
  },
  'a clock that is none': () => {
    Date.now = () => Number.NaN;
  },
  'stack traces of its own': () => {
    Error.stackTraceLimit = 0;
    Error.prepareStackTrace = () => 'formatted by the host';
  },
  'timers of its own': () => {
    const { setTimeout: theirs } = globalThis;
    globalThis.setTimeout = (...args) => Reflect.apply(theirs, globalThis, args);
    const realPerformanceNow = performance.now.bind(performance);
    performance.now = () => realPerformanceNow() / 2;
  },
};
changes[process.argv[2] ?? 'nothing']();

const storage = new AsyncLocalStorage();
const server = createServer(async (request, response) => {
  await storage.run(request.url, async () => {
    burn(2);
    await pause(2);
    response.end(storage.getStore());
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const answers = await Promise.all(
  Array.from({ length: 20 }, async (_, at) => (await fetch(`http://127.0.0.1:${port}/${at}`)).text()),
);
console.log(answers.join(' '));
server.close();
server.closeAllConnections();
