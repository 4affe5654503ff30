// Four clients in transactions of three kinds; whatever burns, burns in a function named after its kind. argv: for how many ms, the triggers as JSON, and what happens:
// `slow` is a transaction of 400 ms after 1 s and after 3.2 s, `listens` answers SIGUSR2.
import { setTimeout as later } from 'node:timers/promises';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

const [forMs, triggers = '{}', what] = process.argv.slice(2);
if (what === 'listens') process.on('SIGUSR2', () => console.log('mine')); // before the agent: it has been preloaded
init({ periodMs: 1_000, triggers: JSON.parse(triggers) });
const works = {
  alpha: function alphaWork() {
    burn(1);
  },
  beta: function betaWork() {
    burn(1);
  },
  gamma: function gammaWork() {
    burn(1);
  },
};
const endAt = performance.now() + Number(forMs);
let runs = 0;
async function client(at) {
  const kind = Object.keys(works)[at % 3];
  while (performance.now() < endAt) {
    runs += 1;
    await transaction(kind, async () => {
      works[kind]();
      await pause(Math.random() * 10);
      await Promise.all([pause(1).then(works[kind]), Promise.resolve().then(works[kind])]);
    });
    await pause(15);
  }
}
async function slow() {
  for (const ms of [1_000, 1_800]) {
    await later(ms);
    runs += 1;
    await transaction('slow', () => pause(400));
  }
}
const clients = Array.from({ length: 4 }, (_, at) => client(at));
if (what === 'slow') clients.push(slow());
console.log('ready');
await Promise.all(clients);
console.log(`runs ${runs}`);
await flush();
await stop();
