// Calls with callbacks, through a pool of one connection that others fill: what runs in a callback belongs to who called. argv: `pg` or `mysql2`, the address
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

init({ periodMs: 1_000 });
const [library, url] = process.argv.slice(2);
const kinds = {
  alpha: function alphaWork() {
    burn(25);
  },
  beta: function betaWork() {
    burn(25);
  },
  gamma: function gammaWork() {
    burn(25);
  },
};
const { pool, sleep, borrow } = library === 'pg' ? await openPg() : await openMysql();

async function openPg() {
  const { default: pg } = await import('pg');
  const connections = new pg.Pool({ connectionString: url, max: 1 });
  return {
    pool: connections,
    sleep: (on, done) => on.query('SELECT pg_sleep($1)', [0.03], done),
    borrow: (done) => connections.connect((error, client, release) => done(error, client, release)),
  };
}
async function openMysql() {
  const { default: mysql } = await import('mysql2');
  const connections = mysql.createPool({ uri: url, connectionLimit: 1 });
  return {
    pool: connections,
    sleep: (on, done) => on.execute('SELECT SLEEP(?)', [0.03], done),
    borrow: (done) => connections.getConnection((error, connection) => done(error, connection, () => connection.release())),
  };
}

const truth = {};
/** The same callback, which first adds up how long it was waited for. */
function timed(kind, callback) {
  const from = performance.now();
  return (...results) => {
    truth[kind] = (truth[kind] ?? 0) + performance.now() - from;
    callback(...results);
  };
}
/** One query of the pool, then one of a connection that is taken from it. */
function work(kind) {
  return new Promise((resolve, reject) => {
    const queried = timed(kind, (error) => {
      if (error) return reject(error);
      kinds[kind]();
      borrow(timed(kind, borrowed));
    });
    const borrowed = (error, connection, release) => {
      if (error) return reject(error);
      const queriedAgain = timed(kind, () => {
        kinds[kind]();
        release();
        resolve();
      });
      sleep(connection, queriedAgain);
    };
    sleep(pool, queried);
  });
}
await Promise.all(
  Array.from({ length: 9 }, (_, at) => transaction(Object.keys(kinds)[at % 3], () => work(Object.keys(kinds)[at % 3]))),
);
await new Promise((resolve) => pool.query('SELECT nothing', (error) => resolve(console.log(error.code))));
console.log(JSON.stringify(truth));
await flush();
await new Promise((resolve) => pool.end(resolve));
await stop();
