/**
 * Many transactions at once that wait for Postgres, Redis and a slow peer, each operation from two functions, and each wait timed by the program
 * itself: the truth. Arguments: where batches go, Postgres, Redis, the peer, how many seconds, `on` or `off`: whether waits are recorded.
 */
import { init, stop, transaction } from '@hearth/agent';
import { Redis } from 'ioredis';
import { Pool } from 'pg';

const [url, postgresUrl, redisUrl, peerUrl, seconds, waits] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  'on' | 'off',
];
const CLIENTS = 40;

init({ url, key: 'bench', service: 'bench', revision: 'bench', periodMs: 5_000, heap: 'off', waits });
const pool = new Pool({ connectionString: postgresUrl, max: 20 });
const redis = new Redis(redisUrl);
await Promise.all(Array.from({ length: 20 }, () => pool.query('SELECT pg_sleep($1)', [0.05]))); // connected before it counts
await redis.ping();

/** Milliseconds by operation, then by the function that waited. */
const truth: Record<string, Record<string, number>> = {};
let operations = 0;
function timed(operation: string, caller: string, beganAt: number): void {
  const ofOperation = (truth[operation] ??= {});
  ofOperation[caller] = (ofOperation[caller] ?? 0) + performance.now() - beganAt;
  operations += 1;
}

async function queryShort(): Promise<void> {
  const beganAt = performance.now();
  await pool.query('SELECT pg_sleep($1)', [0.002]);
  timed('pg', 'queryShort', beganAt);
}
async function queryLong(): Promise<void> {
  const beganAt = performance.now();
  await pool.query('SELECT pg_sleep($1)', [0.02]);
  timed('pg', 'queryLong', beganAt);
}
async function getOne(): Promise<void> {
  const beganAt = performance.now();
  await redis.get('x');
  timed('ioredis', 'getOne', beganAt);
}
async function getMany(): Promise<void> {
  for (let at = 0; at < 5; at += 1) {
    const beganAt = performance.now();
    await redis.get('x');
    timed('ioredis', 'getMany', beganAt);
  }
}
async function askFast(): Promise<void> {
  const beganAt = performance.now();
  await (await fetch(`${peerUrl}/5`)).text();
  timed('fetch', 'askFast', beganAt);
}
async function askSlow(): Promise<void> {
  const beganAt = performance.now();
  await (await fetch(`${peerUrl}/30`)).text();
  timed('fetch', 'askSlow', beganAt);
}

const work: Record<string, () => Promise<void>> = { queryShort, queryLong, getOne, getMany, askFast, askSlow };
const names = Object.keys(work);
const cpuBefore = process.cpuUsage();
const endAt = performance.now() + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: CLIENTS }, async (_, client) => {
    for (let at = client; performance.now() < endAt; at += 1) {
      const name = names[at % names.length]!;
      await transaction(at % 2 === 0 ? 'even' : 'odd', work[name]!);
    }
  }),
);
const { user, system } = process.cpuUsage(cpuBefore);
await stop();
console.log(JSON.stringify({ truth, operations, cpuMicrosPerOperation: (user + system) / operations }));
await pool.end();
redis.disconnect();
