// Serves Pyroscope's pull mode by Express and by Fastify, and scrapes itself. argv: the package, by its address. Prints each profile in base64.
import express from 'express';
import fastify from 'fastify';
import { burn, pause } from './work.mjs';

const { default: Pyroscope } = await import(process.argv[2]);
Pyroscope.init({ appName: 'pulled', flushIntervalMs: 30_000, wall: { collectCpuTime: true } });
if (process.argv[3] === 'started') Pyroscope.start();

const held = [];
function allocateMuch() {
  for (let at = 0; at < 200; at += 1) held.push(Array.from({ length: 4_096 }, () => at));
}
let isBusy = true;
function burnInPull() {
  burn(5);
}
async function keepBusy() {
  while (isBusy) {
    try {
      Pyroscope.wrapWithLabels({ job: 'pulled' }, burnInPull);
    } catch {
      burnInPull(); // the client's labels throw while its profiler does not run, which each scrape stops
    }
    await pause(1);
  }
}

const app = express();
app.use(Pyroscope.expressMiddleware());
app.get('/other', (_request, response) => response.send('other'));
const byExpress = await new Promise((resolve) => {
  const server = app.listen(0, '127.0.0.1', () => resolve(server));
});
const instance = fastify();
await instance.register(Pyroscope.fastifyMiddleware());
const fastifyUrl = await instance.listen({ port: 0, host: '127.0.0.1' });
const busy = keepBusy();
const profiles = {};
async function scrape(name, url) {
  const response = await fetch(url);
  profiles[name] = { status: response.status, body: Buffer.from(await response.arrayBuffer()).toString('base64') };
}
const expressUrl = `http://127.0.0.1:${byExpress.address().port}`;
await scrape('express wall', `${expressUrl}/debug/pprof/profile?seconds=0.5`);
await scrape('fastify wall', `${fastifyUrl}/debug/pprof/profile?seconds=0.5`);
if (process.argv[3] === 'started') allocateMuch();
await scrape('express heap', `${expressUrl}/debug/pprof/heap`);
await scrape('express other', `${expressUrl}/other`);
// A second scrape while a long one is under way, which is given up then.
const longScrape = new AbortController();
const given = fetch(`${expressUrl}/debug/pprof/profile?seconds=50`, { signal: longScrape.signal }).catch(() => undefined);
profiles.second = [];
while (profiles.second.length < 20 && profiles.second.at(-1) !== 503) {
  profiles.second.push((await fetch(`${expressUrl}/debug/pprof/profile?seconds=0.02`)).status);
}
longScrape.abort();
await given;
isBusy = false;
await busy;
await Pyroscope.stop();
byExpress.close();
byExpress.closeAllConnections();
await instance.close();
console.log(JSON.stringify(profiles));
process.exit(held.length < 0 ? 1 : 0);
