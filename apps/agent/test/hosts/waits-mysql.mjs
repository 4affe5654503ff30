// Queries through the promises of mysql2, and a pool that is full. argv: MariaDB, `promise` (loads mysql2/promise) or `core` (loads mysql2)
import { flush, init, stop, transaction } from '../../dist/index.mjs';

init({ periodMs: 1_000 });
const [url, which] = process.argv.slice(2);
const { default: mysql } = which === 'promise' ? await import('mysql2/promise') : await import('mysql2');
const open = (connectionLimit) => {
  const pool = mysql.createPool({ uri: url, connectionLimit });
  return which === 'promise' ? pool : pool.promise();
};
const [pool, narrow] = [open(10), open(1)];
await narrow.query('SELECT 1');

const truth = {};
async function timed(name, work) {
  await transaction(name, async () => {
    const from = performance.now();
    await work();
    truth[name] = performance.now() - from;
  });
}
async function loadOrders() {
  await pool.execute('SELECT SLEEP(?) /* of a secret */', [0.05]);
}
await timed('execute', loadOrders);
await timed('query', () => pool.query('SELECT "secret", SLEEP(0.05) -- secret'));
await timed('connection', async () => {
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await connection.query({ sql: 'SELECT ? AS a' }, ['secret']);
  await connection.commit();
  connection.release();
});
await Promise.all(Array.from({ length: 5 }, (_, at) => timed(`full${at}`, () => narrow.query('SELECT SLEEP(0.1)'))));
await transaction('broken', () => pool.query('SELECT secret')).catch((error) => console.log(error.code));
console.log(JSON.stringify(truth));
await flush();
await pool.end();
await narrow.end();
await stop();
