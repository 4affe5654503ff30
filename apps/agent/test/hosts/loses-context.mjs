// Transactions whose callbacks a pool keeps, and calls where another transaction gives something back, or where there is none. Every function that is written in
// a handler, or that works for it, has a name that begins as that of its transaction does.
import { createServer, get } from 'node:http';
import express from 'express';
import { wrapProcessor } from '../../dist/bullmq.mjs';
import { Transaction, flush, init, stop, transaction, wrap } from '../../dist/index.mjs';
import { CallbackPool } from './callback-pool.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000, rateHz: 251, waits: 'off' });

/** Calls what it keeps from a timer that was there before. */
class Batcher {
  #waiting = [];
  constructor() {
    setInterval(() => {
      for (const callback of this.#waiting.splice(0)) callback();
    }, 5).unref();
  }
  add(callback) {
    this.#waiting.push(callback);
  }
}
const [pool, batcher] = [new CallbackPool(), new Batcher()];

const alphaWork = () => burn(2);
const betaWork = () => burn(2);
const gammaWork = () => burn(2);
const omegaWork = () => burn(2);
const epsilonWork = () => burn(2);
const zetaWork = () => burn(2);
const kappaWork = () => burn(2);
const sigmaWork = () => burn(2);

const runBeta = wrap(
  function betaHandler() {
    return new Promise(function betaBegins(resolve) {
      pool.acquire(function betaHeld() {
        betaWork();
        setTimeout(function betaLater() {
          betaWork();
          pool.release();
          resolve();
        }, 1);
      });
    });
  },
  { name: 'beta' },
);

class Kappa {
  kappaHandler() {
    return new Promise(function kappaBegins(resolve) {
      batcher.add(function kappaHeld() {
        kappaWork();
        resolve();
      });
    });
  }
}
const described = Object.getOwnPropertyDescriptor(Kappa.prototype, 'kappaHandler');
Transaction()(Kappa.prototype, 'kappaHandler', described); // as TypeScript's experimentalDecorators do
Object.defineProperty(Kappa.prototype, 'kappaHandler', described);
const kappa = new Kappa();

const runSigma = wrapProcessor(function sigmaHandler() {
  return new Promise(function sigmaBegins(resolve) {
    pool.acquire(function sigmaHeld() {
      sigmaWork();
      pool.release();
      resolve();
    });
  });
});

const app = express();
app.get('/gamma/:id', (_request, response) => {
  pool.acquire(function gammaHeld() {
    gammaWork();
    setTimeout(function gammaLater() {
      gammaWork();
      pool.release();
      response.end();
    }, 1);
  });
});
app.get('/omega', function omegaHandler(_request, response) {
  batcher.add(function omegaHeld() {
    omegaWork();
    response.end();
  });
});
// What comes before a handler loses its context, too.
app.get(
  '/epsilon',
  (_request, _response, next) => batcher.add(next),
  function epsilonHandler(_request, response) {
    epsilonWork();
    setTimeout(function epsilonLater() {
      epsilonWork();
      response.end();
    }, 1);
  },
);
app.get('/zeta', async function zetaHandler(_request, response) {
  zetaWork();
  await pause(1);
  zetaWork();
  response.end();
});
const server = createServer(app);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const visit = (path) =>
  new Promise((resolve) => get({ port, path, agent: false }, (response) => response.resume().once('end', resolve)));

const kinds = [
  () =>
    transaction('alpha', function alphaHandler() {
      return new Promise(function alphaBegins(resolve) {
        pool.acquire(function alphaHeld() {
          alphaWork();
          setTimeout(function alphaLater() {
            alphaWork();
            pool.release();
            resolve();
          }, 1);
        });
      });
    }),
  runBeta,
  () => kappa.kappaHandler(),
  () => runSigma({ queueName: 'sigma', name: 'send' }),
  () => visit('/gamma/7'),
  () => visit('/omega'),
  () => visit('/epsilon'),
  () => visit('/zeta'),
];
for (const once of [...kinds, ...kinds]) await once(); // what comes once is not watched
await pause(2_500); // until it is known where they are written
const endAt = performance.now() + 4_000;
await Promise.all(
  [...kinds, ...kinds].map(async (once) => {
    while (performance.now() < endAt) {
      await once();
      await pause(1);
    }
  }),
);
await flush();
await stop();
server.close();
