// Six transactions share a pool of one connection: the callback of each query runs in the context of whoever gave the connection back. argv: Postgres
import pg from 'pg';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

const pool = new pg.Pool({ connectionString: process.argv[2], max: 1 });
init({ periodMs: 1_000 });
const truth = {};
async function one(name) {
  const from = performance.now();
  await pool.query('SELECT pg_sleep(0.1)');
  truth[name] = performance.now() - from;
}
await Promise.all(Array.from({ length: 6 }, (_, at) => transaction(`t${at}`, () => one(`t${at}`))));
const client = await transaction('checkout', () => pool.connect());
await transaction('client', () => client.query({ text: 'SELECT $1::text', values: ['secret'] }));
await transaction('callback', () => new Promise((resolve) => client.query('SELECT 1', resolve)));
client.release();
console.log(JSON.stringify(truth));
await flush();
await pool.end();
await stop();
