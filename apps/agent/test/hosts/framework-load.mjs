// One framework of ./frameworks under concurrent requests, each with an id of its own. argv: the framework, how many requests of each kind. What burns,
// burns in a function named after its route, before an await and behind it.
import { flush, init, stop } from '../../dist/index.mjs';
import { burn, pause } from './work.mjs';

init({ periodMs: 60_000 });
const [, , framework, perKind] = process.argv;
const handlers = {
  async user(id) {
    function userWork() {
      burn(2);
    }
    userWork();
    await pause(Math.random() * 8);
    userWork();
    return { id };
  },
  async order(org, id) {
    function orderWork() {
      burn(2);
    }
    orderWork();
    await pause(Math.random() * 8);
    orderWork();
    return { org, id };
  },
  async fails() {
    await pause(1);
    throw new Error('of the handler');
  },
};
const { listen } = await import(`./frameworks/${framework}.mjs`);
const { port, close } = await listen(handlers);
const statuses = {};
async function request(path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const key = `${path.split('/')[1]} ${response.status}`;
  statuses[key] = (statuses[key] ?? 0) + 1;
  await response.text();
}
const paths = Array.from({ length: Number(perKind) }, (_, at) => [
  `/users/${1_000 + at}?secret=${at}`,
  `/orgs/acme-${at}/orders/${2_000 + at}`,
  `/fails/${3_000 + at}`,
  `/nowhere/${4_000 + at}`,
]).flat();
await Promise.all(
  Array.from({ length: 12 }, async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await request(path);
  }),
);
await flush();
await stop();
await close();
console.log(JSON.stringify(statuses));
