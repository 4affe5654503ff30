// Transactions share pools of two connections: undici makes each request where somebody else gave a connection back. argv: the undici to load
import { createServer } from 'node:http';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

const {
  Agent,
  BalancedPool,
  Pool,
  RetryAgent,
  fetch: fetchOfUndici,
  interceptors,
  request,
  setGlobalDispatcher,
} = await import(process.argv[2]);
init({ periodMs: 1_000 });
const seen = new Set();
/** By way. */
const mostAtOnce = {};
let atOnce = 0;
const server = createServer((asked, answer) => {
  const { pathname, searchParams } = new URL(asked.url, 'http://peer');
  const way = searchParams.get('id').split('-')[0];
  mostAtOnce[way] = Math.max(mostAtOnce[way] ?? 0, ++atOnce);
  answer.once('close', () => (atOnce -= 1));
  const isFirst = !seen.has(searchParams.get('id'));
  seen.add(searchParams.get('id'));
  if (pathname === '/moved') setTimeout(() => answer.writeHead(302, { location: `/?id=${searchParams.get('id')}` }).end(), 50);
  else if (pathname === '/flaky' && isFirst) answer.writeHead(503).end();
  else setTimeout(() => answer.end('done'), 100);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const options = { connections: 2 };
const agent = new Agent(options);
const pool = new Pool(origin, options);
const balanced = new BalancedPool([origin], options);
const redirecting = new Agent(options).compose(interceptors.redirect({ maxRedirections: 1 }));
const retrying = new RetryAgent(new Agent(options), { minTimeout: 1 });
setGlobalDispatcher(agent);

async function readAll(answer) {
  await (await answer).body.text();
}
const ways = {
  async request(id) {
    await readAll(request(`${origin}/?id=${id}`, { dispatcher: agent }));
  },
  async fetchOfUndici(id) {
    await (await fetchOfUndici(`${origin}/?id=${id}`, { dispatcher: agent })).text();
  },
  async fetchOfNode(id) {
    await (await fetch(`${origin}/?id=${id}`)).text();
  },
  async pool(id) {
    await readAll(pool.request({ path: `/?id=${id}`, method: 'GET' }));
  },
  async balanced(id) {
    await readAll(balanced.request({ path: `/?id=${id}`, method: 'GET' }));
  },
  async redirected(id) {
    await readAll(request(`${origin}/moved?id=${id}`, { dispatcher: redirecting }));
  },
  async retried(id) {
    await readAll(request(`${origin}/flaky?id=${id}`, { dispatcher: retrying }));
  },
};
const truth = {};
for (const [way, ask] of Object.entries(ways)) {
  const name = (at) => `${way}-${at}`;
  await Promise.all(
    Array.from({ length: 6 }, (_, at) =>
      transaction(name(at), async () => {
        const from = performance.now();
        await ask(name(at));
        truth[name(at)] = performance.now() - from;
      }),
    ),
  );
}
console.log(JSON.stringify({ truth, mostAtOnce }));
await flush();
await Promise.all([agent, pool, balanced, redirecting, retrying].map((one) => one.close()));
server.close();
await stop();
