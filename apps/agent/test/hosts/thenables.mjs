// Results that have a `then` and are no promises: what their makers do with them is as without the agent.
/* oxlint-disable unicorn/no-thenable, typescript/await-thenable -- this host makes objects that have a `then` and are no promises, and awaits them */
import mysql from 'mysql2';
import { measure, span, transaction, wrap } from '../../dist/index.mjs';
import { pause } from './work.mjs';

/** As query builders: nothing is sent until somebody awaits it. */
class Query {
  filters = [];
  where(filter) {
    this.filters.push(filter);
    return this;
  }
  async send() {
    console.log(`sent where ${this.filters.join(' and ')}`);
    await pause(60);
    if (this.filters.includes('broken')) throw new Error('no such column');
    return this.filters.length;
  }
  then(onDone, onError) {
    return this.send().then(onDone, onError);
  }
}
const users = () => new Query();
const frozen = Object.freeze(new Query().where('frozen'));
const watched = new Proxy(new Query().where('watched'), {
  defineProperty: () => console.log('changed'),
});
/** As a command of mysql2 that was given a callback. */
const throwing = {
  then() {
    throw new Error('this has a callback');
  },
};

console.log(await wrap(users)().where('tenant=1').where('id=2'));
console.log(await transaction('chained', () => span('load', () => measure('load', () => users().where('a=1')))));
try {
  await transaction('fails', () => users().where('broken'));
} catch (error) {
  console.log(error.message);
}
for (const result of [users(), frozen, watched, throwing]) {
  const same = transaction('never awaited', () => span('kept', () => measure('kept', () => result)));
  await pause(1);
  console.log(same === result, Object.hasOwn(same, 'then'), Object.keys(same).join());
}
console.log(await transaction('frozen', () => frozen));
console.log(await transaction('watched', () => watched));

const pool = mysql.createPool({ host: '127.0.0.1', port: 1 });
await new Promise((resolve) => {
  transaction('query', () =>
    pool.query('SELECT 1', (error) => {
      console.log(error.code);
      resolve();
    }),
  );
});
pool.end(() => console.log('goes on'));
