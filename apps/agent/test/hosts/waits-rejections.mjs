// Rejections that nobody handles, and errors with the caller in their stack: the same with and without the agent. argv: Postgres, Redis, a closed port
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import pg from 'pg';
import { init, stop, transaction } from '../../dist/index.mjs';

const [postgresUrl, redisUrl, closedUrl] = process.argv.slice(2);
init({ periodMs: 1_000 });
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error.code ?? error.name));
const pool = new pg.Pool({ connectionString: postgresUrl });
const redis = new Redis(redisUrl);
await redis.ping();

const broken = {
  query: async function brokenQuery() {
    await pool.query('SELECT nothing');
  },
  command: async function brokenCommand() {
    await redis.call('HGET', 'one argument too few');
  },
  file: async function brokenFile() {
    await readFile('/there/is/none');
  },
  name: async function brokenName() {
    await lookup('there-is-none.invalid');
  },
  request: async function brokenRequest() {
    await fetch(closedUrl);
  },
  aborted: async function brokenSleep() {
    await sleep(1_000, undefined, { signal: AbortSignal.timeout(60) });
  },
};
const handled = {};
for (const [name, work] of Object.entries(broken)) {
  await transaction(name, work).catch((error) => {
    handled[name] = `${error.code ?? error.name} ${/at async (broken\w+)/.exec(error.stack)?.[1]}`;
  });
}
for (const work of Object.values(broken)) void transaction('unhandled', work);
void redis.call('HGET', 'nobody waits for it');
void pool.query('SELECT nobody waits for it');
for (let tries = 0; unhandled.length < 8 && tries < 200; tries += 1) await sleep(50);
console.log(JSON.stringify({ handled, unhandled: unhandled.map(String).sort((a, b) => a.localeCompare(b)) }));
await pool.end();
redis.disconnect();
await stop();
