// Two routes of one framework whose callbacks a pool keeps and calls in the other's context. argv: the framework. What is written in a handler is named
// after its route.
import { createServer, get } from 'node:http';
import { flush, init, stop } from '../../dist/index.mjs';
import { nameRoutes as nameHonoRoutes } from '../../dist/hono.mjs';
import { nameRoutes as nameKoaRoutes } from '../../dist/koa.mjs';
import { CallbackPool } from './callback-pool.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000, rateHz: 251, waits: 'off' });

const pool = new CallbackPool();

const apps = {
  async express(module) {
    const { default: express } = await import(module);
    const app = express();
    app.get('/alpha/:id', (_request, response) => {
      pool.acquire(function alphaHeld() {
        burn(2);
        setTimeout(function alphaLater() {
          pool.release();
          response.end();
        }, 1);
      });
    });
    const router = express.Router();
    router.get('/beta', function betaHandler(_request, response, next) {
      pool.acquire(function betaHeld() {
        burn(2);
        setTimeout(function betaLater() {
          pool.release();
          response.end();
          if (response.statusCode > 200) next();
        }, 1);
      });
    });
    app.use('/deep', router);
    return createServer(app);
  },
  async fastify(module) {
    const { default: fastify } = await import(module);
    const app = fastify();
    app.get('/alpha/:id', (_request, reply) => {
      pool.acquire(function alphaHeld() {
        burn(2);
        setTimeout(function alphaLater() {
          pool.release();
          reply.send('');
        }, 1);
      });
    });
    await app.register(
      async (inner) => {
        inner.get('/beta', async function betaHandler() {
          return new Promise(function betaBegins(resolve) {
            pool.acquire(function betaHeld() {
              burn(2);
              setTimeout(function betaLater() {
                pool.release();
                resolve('');
              }, 1);
            });
          });
        });
      },
      { prefix: '/deep' },
    );
    await app.ready();
    return app.server;
  },
  async koa() {
    const [{ default: Koa }, { default: Router }] = await Promise.all([import('koa'), import('@koa/router')]);
    const router = new Router();
    router.get('/alpha/:id', async (context) => {
      await new Promise(function alphaBegins(resolve) {
        pool.acquire(function alphaHeld() {
          burn(2);
          setTimeout(function alphaLater() {
            pool.release();
            resolve();
          }, 1);
        });
      });
      context.body = '';
    });
    router.get('/deep/beta', async function betaHandler(context) {
      await new Promise(function betaBegins(resolve) {
        pool.acquire(function betaHeld() {
          burn(2);
          setTimeout(function betaLater() {
            pool.release();
            resolve();
          }, 1);
        });
      });
      context.body = '';
    });
    return createServer(new Koa().use(nameKoaRoutes()).use(router.routes()).callback());
  },
  async hono() {
    const [{ Hono }, { createAdaptorServer }] = await Promise.all([import('hono'), import('@hono/node-server')]);
    const app = new Hono();
    app.use(nameHonoRoutes());
    app.get('/alpha/:id', async (context) => {
      await new Promise(function alphaBegins(resolve) {
        pool.acquire(function alphaHeld() {
          burn(2);
          setTimeout(function alphaLater() {
            pool.release();
            resolve();
          }, 1);
        });
      });
      return context.text('');
    });
    app.get('/deep/beta', async function betaHandler(context) {
      await new Promise(function betaBegins(resolve) {
        pool.acquire(function betaHeld() {
          burn(2);
          setTimeout(function betaLater() {
            pool.release();
            resolve();
          }, 1);
        });
      });
      return context.text('');
    });
    return createAdaptorServer({ fetch: app.fetch });
  },
};

const framework = process.argv[2];
const server = await apps[framework.replace(/-4$/, '')](framework);
if (!server.listening) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const visit = (path) =>
  new Promise((resolve) =>
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().once('end', resolve)),
  );
for (const path of ['/alpha/1', '/deep/beta', '/alpha/2', '/deep/beta']) await visit(path); // what comes once is not watched
await pause(2_500); // until it is known where they are written
const endAt = performance.now() + 2_000;
await Promise.all(
  ['/alpha/1', '/deep/beta', '/alpha/2', '/deep/beta'].map(async (path) => {
    while (performance.now() < endAt) await visit(path);
  }),
);
await flush();
await stop();
server.close();
server.closeAllConnections();
