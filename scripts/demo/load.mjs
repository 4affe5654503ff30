/**
 * The visitors of the demo's shops, in a process of its own. Open loop: requests start when it is their time, however
 * long the ones before take. Every process gets as many, one after the other round and round, and every process of a
 * side gets the same ones, in an order of its own. One at a time, because requests that meet on a small machine share
 * its cores, and then the demo would measure the machine.
 *
 * Told by message: `{ targets: [{ url, mix }], perSecond }` at first, `{ perSecond }` later, of all processes together;
 * says `{ load: { sent, answered, failed } }` each second.
 */
import http from 'node:http';

/** Requests that a process may have unanswered; beyond that it is drowning, and more would only fail later. */
const MAX_IN_FLIGHT = 40;
const PLANS = ['free', 'standard', 'premium'];
const QUERIES = ['oak lamp kitchen', 'waterproof jacket', 'quiet clock winter', 'folding steel table', 'soft blanket'];
const SORTS = ['price', 'weight', 'name'];

let perSecond = 1;
const load = { sent: 0, answered: 0, failed: 0 };

process.on('message', (message) => {
  if (message.perSecond !== undefined) perSecond = message.perSecond;
  if (message.targets !== undefined) visit(message.targets.map(createVisitor));
});
setInterval(() => process.send({ load }), 1_000);

/** Sends requests for ever. */
function visit(visitors) {
  const random = seeded(4_040);
  let turn = 0;
  let dueMs = performance.now();
  const step = () => {
    const nowMs = performance.now();
    while (dueMs <= nowMs) {
      sendNext(visitors[turn]);
      turn = (turn + 1) % visitors.length;
      // Half the distance is left to chance, so that nothing keeps step with timers or samplers.
      dueMs += ((0.75 + 0.5 * random()) * 1_000) / perSecond;
    }
    setTimeout(step, Math.min(dueMs - nowMs, 250));
  };
  step();
}

function createVisitor({ url, mix }, index) {
  const { hostname, port } = new URL(url);
  const random = seeded(index + 1);
  // Each begins elsewhere, or all would ask for the dear carts at once.
  const turns = Object.fromEntries(Object.keys(mix).map((kind) => [kind, Math.floor(random() * 24)]));
  return {
    target: { hostname, port, agent: new http.Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT }) },
    mix,
    random,
    turns,
    deck: [],
    inFlight: 0,
  };
}

function sendNext(visitor) {
  if (visitor.deck.length === 0) visitor.deck = shuffledDeck(visitor.mix, visitor.random);
  const request = requestOf(visitor.deck.pop(), visitor);
  if (visitor.inFlight < MAX_IN_FLIGHT) send(request, visitor);
}

/** One card for each request of the mix. Whole decks are equal, so processes of a side differ by less than a deck. */
function shuffledDeck(mix, random) {
  const deck = Object.entries(mix).flatMap(([kind, count]) => Array(count).fill(kind));
  for (let index = deck.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [deck[index], deck[other]] = [deck[other], deck[index]];
  }
  return deck;
}

/** The next request of a kind. Plans take turns, and only then carts: every plan meets every size of cart equally often. */
function requestOf(kind, { turns }) {
  const turn = turns[kind]++;
  const plan = PLANS[turn % PLANS.length];
  const cart = `c${Math.floor(turn / PLANS.length) % 8}`;
  const product = `p${(turn * 37) % 480}`;
  switch (kind) {
    case 'list':
      return { plan, method: 'GET', path: `/products?sort=${SORTS[turn % SORTS.length]}&page=${turn % 4}` };
    case 'search':
      return { plan, method: 'GET', path: `/search?q=${encodeURIComponent(QUERIES[turn % QUERIES.length])}` };
    case 'product':
      return { plan, method: 'GET', path: `/products/${product}` };
    case 'cart':
      return { plan, method: 'GET', path: `/cart/${cart}` };
    case 'add':
      return { plan, method: 'POST', path: `/cart/${cart}/items`, body: { productId: product } };
    case 'checkout':
      return { plan, method: 'POST', path: '/checkout', body: { cartId: cart } };
    default:
      throw new Error(`no such request: ${kind}`);
  }
}

function send({ plan, method, path, body }, visitor) {
  load.sent += 1;
  visitor.inFlight += 1;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    'x-plan': plan,
    ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  let isOver = false;
  const end = (outcome) => {
    if (isOver) return;
    isOver = true;
    visitor.inFlight -= 1;
    load[outcome] += 1;
  };
  const request = http.request({ ...visitor.target, method, path, headers }, (response) => {
    response.resume();
    response.once('end', () => end(response.statusCode < 400 ? 'answered' : 'failed'));
    response.once('error', () => end('failed'));
  });
  request.once('error', () => end('failed'));
  request.end(text);
}

/** Pseudo-random numbers in [0, 1) (xorshift): two runs of the demo get the same requests. */
function seeded(seed) {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}
