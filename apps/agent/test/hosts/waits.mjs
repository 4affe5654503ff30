// Many transactions at once, each of one kind, waiting for something whose duration is known. argv: Postgres, Redis, slow HTTP peer
import { lookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import pg from 'pg';
import { request } from 'undici';
import { flush, init, span, stop, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

const [postgresUrl, redisUrl, peerUrl] = process.argv.slice(2);
init({ periodMs: 1_000 });
const pool = new pg.Pool({ connectionString: postgresUrl, max: 20 });
const redis = new Redis(redisUrl);
const script = `return ARGV[1]`;

async function loadOrders(seconds) {
  await pool.query('SELECT 1 WHERE pg_sleep($1) IS NOT NULL -- of a secret', [seconds]);
}
async function readCache() {
  await redis.set('secret-key', 'secret-value');
  await redis.eval(script, 0, 'secret-argument');
}
async function askPeer(ms) {
  const response = await fetch(`${peerUrl}/secret-path?wait=${ms}`);
  await response.text();
}
async function askPeerByUndici(ms) {
  const { body } = await request(`${peerUrl}/secret-path?wait=${ms}`);
  await body.text();
}
function askPeerByHttp(ms) {
  return new Promise((resolve, reject) => {
    get(`${peerUrl}/secret-path?wait=${ms}`, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}
function burnAndSleep() {
  burn(30);
  return sleep(60);
}
const kinds = {
  orders: () => loadOrders(0.05),
  cache: () => readCache(),
  peer: () => askPeer(40),
  http: () => askPeerByHttp(30),
  undici: () => askPeerByUndici(30),
  file: () => readFile(process.argv[1]),
  names: () => new Promise((resolve) => lookup('localhost', resolve)),
  slept: async function slept() {
    await span('nap', burnAndSleep);
  },
  beside: () => Promise.all([askPeer(80), loadOrders(0.08)]),
};
const truth = {};
await Promise.all(
  Array.from({ length: 72 }, async (_, at) => {
    const kind = Object.keys(kinds)[at % 9];
    await transaction(kind, async () => {
      const from = performance.now();
      await kinds[kind]();
      truth[kind] = (truth[kind] ?? 0) + performance.now() - from;
    });
  }),
);
await pool.query('SELECT 2');
console.log(JSON.stringify(truth));
await flush();
await pool.end();
redis.disconnect();
await stop();
