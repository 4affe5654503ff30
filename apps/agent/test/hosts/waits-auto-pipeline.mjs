// Commands of different transactions go into one pipeline, which ioredis makes of those of a tick. argv: Redis
import Redis from 'ioredis';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

init({ periodMs: 1_000 });
const redis = new Redis(process.argv[2], { enableAutoPipelining: true });
redis.defineCommand('slowly', { numberOfKeys: 0, lua: `for at = 1, 1000000 do end return 'slow'` });
await redis.set('x', 'kept');

const answers = {};
async function readOne() {
  answers.one = await redis.get('x');
}
const kinds = {
  one: readOne,
  two: async () => {
    answers.two = await Promise.all([redis.get('x'), redis.strlen('x')]);
  },
  called: async () => {
    answers.called = await redis.call('GET', 'x');
  },
  scripted: async () => {
    answers.scripted = await redis.slowly();
  },
  broken: async () => {
    answers.broken = await redis.incr('x').catch(String);
  },
  callback: () => new Promise((resolve) => redis.get('x', (error, value) => resolve((answers.callback = [error, value])))),
  brokenCallback: () => new Promise((resolve) => redis.incr('x', (error) => resolve((answers.brokenCallback = String(error))))),
  explicit: async () => {
    answers.explicit = await redis.pipeline().get('x').strlen('x').exec();
  },
  multi: async () => {
    answers.multi = await redis.multi().get('x').exec();
  },
};
process.on('unhandledRejection', (error) => (answers.unhandled = String(error)));
const shapes = [redis.get.length, redis.get.name, redis.get('x') instanceof Promise];
await Promise.all(Object.entries(kinds).map(([name, ask]) => transaction(name, ask)));
void redis.decr('x'); // nobody handles it
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ ...answers, shapes }));
await flush();
redis.disconnect();
await stop();
