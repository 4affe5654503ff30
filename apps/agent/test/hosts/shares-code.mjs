// Loses no context, though code that is written in one transaction's handler runs in another's: each by a way that is right.
import { createServer, get } from 'node:http';
import express from 'express';
import { bind, flush, init, stop, transaction, wrap } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000, rateHz: 251, waits: 'off' });

const held = [];
const calling = setInterval(() => {
  for (const callback of held.splice(0)) callback();
}, 3);

const work = async () => {
  burn(1);
  await pause(1);
  await Promise.all([0, 1].map(async () => burn(1)));
};
const eachOf = wrap(
  async (items, perItem) => {
    for (const item of items) await perItem(item);
  },
  { name: 'each-of' },
);

/** A handler that is called as a function, too. */
async function importOrders() {
  burn(6);
  await pause(1);
  await Promise.all(
    [0, 1].map(async () => {
      await pause(1);
      burn(1);
    }),
  );
}
const made = (times) => async () => {
  for (let at = 0; at < times; at += 1) await work();
  await pause(1).then(() => burn(1));
};
const [makeOnce, makeTwice] = [made(1), made(2)];

let [base, urls, jobs] = ['', [], []];
await transaction('startup', async () => {
  // All that is written here sees all that is written here.
  const shared = async () => {
    await pause(1);
    await Promise.all([0, 1].map(async () => burn(1)));
  };
  let cached;
  const app = express();
  // Of a set-up that runs once all is for whoever comes.
  app.use(async function identify(_request, _response, next) {
    await pause(1).then(() => burn(1));
    next();
  });
  // Handlers and middleware that are written in one place.
  const asyncHandler = (handler) => async (request, response, next) => {
    burn(1);
    try {
      await handler(request, response, next);
    } catch (fault) {
      next(fault);
    }
  };
  app.use(
    asyncHandler(async (_request, _response, next) => {
      burn(1);
      await pause(1);
      next();
    }),
  );
  app.get(
    '/wrapped',
    asyncHandler(async (_request, response) => {
      await pause(1).then(() => burn(1));
      response.end();
    }),
  );
  app.get('/health', (_request, response) => response.end());
  app.all('/users/*rest', async (request, _response, next) => {
    burn(1);
    await pause(1);
    setTimeout(() => {
      burn(1);
      if (request.query.answer === undefined) next();
      else _response.end();
    }, 1);
  });
  app.get('/users/:id', async (request, response, next) => {
    await pause(1).then(() => burn(1));
    if (request.params.id === 'me') next('route');
    else response.end();
  });
  app.get('/users/me', async (_request, response) => {
    await shared();
    response.end();
  });
  const showOrder = async (_request, response) => {
    burn(6);
    await pause(1);
    setTimeout(() => {
      burn(1);
      response.end();
    }, 1);
  };
  app.get('/orders', showOrder);
  app.post('/checkout', async (request, response) => {
    burn(1);
    await shared();
    return showOrder(request, response);
  });
  app.get('/cached', async (_request, response) => {
    cached ??= pause(2).then(() => {
      burn(2);
      cached = undefined;
    });
    await cached;
    response.end();
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  server.unref();
  base = `http://127.0.0.1:${server.address().port}`;
  urls = ['/users/7', '/users/me', '/users/7?answer', '/orders', 'POST /checkout', '/cached', '/wrapped', '/health'];
  jobs = [wrap(async () => shared(), { name: 'inside' })];
});

const visit = (url) =>
  new Promise((resolve, reject) => {
    const [method, path] = url.includes(' ') ? url.split(' ') : ['GET', url];
    get(base + path, { method, agent: false }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
let round = 0;
jobs.push(
  () =>
    transaction('outer', async () => {
      const own = async () => {
        await pause(1);
        burn(1);
      };
      await transaction('inner', async () => {
        await own();
        await work();
      });
      await eachOf([1, 2], async () => {
        await pause(1);
        burn(1);
      });
    }),
  () => transaction('import', importOrders),
  () => transaction('all', async () => importOrders()),
  importOrders,
  () => transaction('make-once', makeOnce),
  () => transaction('make-twice', makeTwice),
  () =>
    Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        transaction(`tenant ${(round += 1) % 300}`, async () => pause(1).then(() => at === 0 && burn(1))),
      ),
    ),
  () =>
    transaction(
      'bound',
      () =>
        new Promise((resolve) => {
          held.push(
            bind(() => {
              burn(1);
              setTimeout(() => resolve(burn(1)), 1);
            }),
          );
        }),
    ),
  ...urls.map((url) => () => visit(url)),
);
for (const once of [...jobs, ...jobs]) await once(); // what comes once is not watched
await pause(1_500);
const endAt = performance.now() + 6_000;
let turns = 0;
const poll = () =>
  transaction('poll', async () => {
    burn(1);
    turns += 1;
    if (performance.now() < endAt) setTimeout(poll, 2);
  });
await Promise.all([
  poll(),
  ...jobs.map(async (once) => {
    while (performance.now() < endAt || round < 300) {
      await once();
      await pause(1);
    }
  }),
]);
clearInterval(calling);
await flush();
await stop();
console.log(JSON.stringify({ round, turns }));
