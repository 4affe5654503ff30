// Transactions of three kinds at once, over and over, each handed on in every way that work is handed on; what burns, burns in a function named
// after its transaction. argv: a peer over HTTP, Postgres, Redis
import { EventEmitter, once } from 'node:events';
import { get } from 'node:http';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runInThisContext } from 'node:vm';
import { createPool } from 'generic-pool';
import Redis from 'ioredis';
import pg from 'pg';
import { Pool as TarnPool } from 'tarn';
import { request } from 'undici';
import { bind, flush, init, stop, transaction } from '../../dist/index.mjs';
import { CallbackPool } from './callback-pool.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 1_000, rateHz: 251 });
const [peer, postgresUrl, redisUrl] = process.argv.slice(2);
const database = new pg.Pool({ connectionString: postgresUrl, max: 2 });
const redis = new Redis(redisUrl);
const resource = { create: async () => ({}), destroy: async () => {} };
const generic = createPool(resource, { max: 2 });
const tarn = new TarnPool({
  ...resource,
  min: 0,
  max: 2,
  acquireTimeoutMillis: 30_000,
  createTimeoutMillis: 30_000,
  idleTimeoutMillis: 30_000,
});
const bell = new EventEmitter().setMaxListeners(0);

const [boundPool, leakyPool] = [new CallbackPool(), new CallbackPool()];
const throughPool = (pool, work, keep) =>
  new Promise((resolve) =>
    pool.acquire(
      keep(() => {
        work();
        setTimeout(() => {
          pool.release();
          resolve();
        }, 1);
      }),
    ),
  );

const carriers = {
  awaits: async (work) => {
    await Promise.resolve();
    work();
    await Promise.all([pause(1).then(work), Promise.allSettled([Promise.reject(new Error('of the host'))]).then(work)]);
  },
  timers: (work) =>
    new Promise((resolve) => {
      let times = 0;
      const interval = setInterval(() => {
        work();
        if ((times += 1) < 2) return;
        clearInterval(interval);
        setTimeout(() => setImmediate(() => process.nextTick(() => queueMicrotask(() => resolve(work())))), 1);
      }, 2);
    }),
  streams: (work) =>
    pipeline(
      Readable.from([1, 2]),
      new PassThrough({ objectMode: true }),
      new Transform({ objectMode: true, transform: (chunk, _, done) => setImmediate(() => done(null, work() ?? chunk)) }),
      new Writable({ objectMode: true, write: (_chunk, _, done) => done(work()) }),
    ),
  http: (work) =>
    new Promise((resolve) =>
      get(`${peer}/?wait=2`, (response) => {
        work();
        response.on('data', work).once('end', resolve);
      }),
    ),
  undici: async (work) => {
    const { body } = await request(`${peer}/?wait=2`);
    work();
    await body.text();
    work();
  },
  fetch: async (work) => {
    await (await fetch(`${peer}/?wait=2`)).text();
    work();
  },
  emitter: async (work) => {
    bell.once('ring', bind(work));
    await once(bell, 'ring');
    work();
  },
  pg: async (work) => {
    await database.query('SELECT 1');
    work();
    const client = await database.connect();
    await client.query('SELECT 1');
    work();
    client.release();
  },
  ioredis: async (work) => {
    await redis.get('key');
    work();
    await new Promise((resolve) => redis.get('key', () => resolve(work())));
    await redis.pipeline().get('a').get('b').exec();
    work();
  },
  generic: (work) =>
    generic.use(async () => {
      work();
      await pause(1);
      work();
    }),
  tarn: async (work) => {
    const held = await tarn.acquire().promise;
    work();
    await pause(1);
    tarn.release(held);
    work();
  },
  bound: (work) => throughPool(boundPool, work, bind),
  leaky: (work) => throughPool(leakyPool, work, (callback) => callback),
};

const endAt = performance.now() + 5_000;
const ringing = setInterval(() => bell.emit('ring'), 3);
async function client(name, carry) {
  const work = runInThisContext(`(burn) => function ${name}Work() { burn(1); }`)(burn);
  while (performance.now() < endAt) {
    await transaction(name, () => carry(work));
    await pause(1);
  }
}
await Promise.all(
  Object.entries(carriers).flatMap(([carrier, carry]) => ['Alpha', 'Beta', 'Gamma'].map((kind) => client(carrier + kind, carry))),
);
clearInterval(ringing);
console.log(JSON.stringify(Object.keys(carriers)));
await flush();
await stop();
await Promise.all([database.end(), generic.drain().then(() => generic.clear()), tarn.destroy()]);
redis.disconnect();
