/**
 * Answers of the API about a made-up shop: deterministic, of the shape and size that a real service gives. What the
 * fast browser tests and the screenshots show; whether the real server answers like this is for its own tests.
 */
import type { FunctionKey } from '@hearth/profile-model';

export const BASELINE = '4f1c2a9d0b7e63581c9a4d2f6e0b8375a1d9c4e2';
export const CANDIDATE = '9b30e7f2c54d18a6f7b2e091d3c8a5f46e1b7d03';

/** The page of the transaction that has slow runs. */
export const CHECKOUT = '/transactions?service=shop&transaction=POST+%2Fcheckout';

/** Names that break whoever does not show them as text. */
export const HOSTILE_NAMES = [
  '<img src=x onerror="document.title=\'broken\'">',
  '"quoted" \'twice\' `thrice`',
  '__proto__',
  'constructor',
  '🙂🔥 emoji',
  'nul\0and\nnewline',
  '\u202Ereversed',
  '&lt;b&gt;',
  '${x}',
  '{{x}}',
  '',
];

/** Park-Miller: the same numbers on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** A frame of the made tree: its function, its own value, what it calls. */
interface MadeFrame {
  readonly key: FunctionKey;
  self: number;
  readonly calls: MadeFrame[];
}

const frame = (name: string, packageName: string, file: string, self = 0, calls: MadeFrame[] = []): MadeFrame => ({
  key: { name, package: packageName, file },
  self,
  calls,
});
const own = (name: string, file: string, self = 0, calls: MadeFrame[] = []) => frame(name, '', `src/${file}`, self, calls);

export const ROUTES = [
  'GET /',
  'GET /items',
  'GET /items/:id',
  'GET /search',
  'POST /cart',
  'POST /checkout',
  'recalculate-recommendations',
] as const;
export type Route = (typeof ROUTES)[number];
const LIBRARIES = [
  ['pg', 'lib/query.js', ['handleRowDescription', 'handleDataRow', 'prepareValue', 'parseRow', 'submit']],
  ['zod', 'v4/core/parse.js', ['_parse', 'safeParse', 'run', 'finalizeIssue']],
  ['ioredis', 'built/Command.js', ['toWritable', 'parseReply', 'sendCommand']],
  ['lodash', 'groupBy.js', ['groupBy', 'baseEach', 'createAggregator', 'sortBy']],
  ['handlebars', 'lib/runtime.js', ['template', 'invokePartial', 'escapeExpression', 'lookupProperty']],
  ['luxon', 'src/datetime.js', ['fromISO', 'toFormat', 'quickDT']],
] as const;
const NODE = [
  ['internal/streams/writable', ['writeOrBuffer', 'onwrite', 'afterWrite', 'clearBuffer']],
  ['internal/timers', ['listOnTimeout', 'processTimers']],
  ['events', ['emit', 'addListener', 'once']],
  ['buffer', ['fromString', 'utf8Write', 'concat', 'slice']],
  ['_http_outgoing', ['_storeHeader', 'setHeader', 'end', 'write_']],
] as const;

/** Frames under one frame: libraries and the runtime, ever narrower. */
function grow(random: () => number, value: number, depth: number): MadeFrame[] {
  const frames: MadeFrame[] = [];
  let left = value;
  while (left > value * 0.08 && frames.length < 7) {
    const share = left * (0.25 + 0.5 * random());
    left -= share;
    const isLibrary = random() < 0.65;
    const [source, names, packageName] = isLibrary
      ? ((library) => [library[1], library[2], library[0]] as const)(LIBRARIES[Math.floor(random() * LIBRARIES.length)]!)
      : ((module) => [module[0], module[1], 'node'] as const)(NODE[Math.floor(random() * NODE.length)]!);
    const name = names[Math.floor(random() * names.length)]!;
    const deeper = depth < 14 && share > 60 && random() < 0.9 ? grow(random, share * 0.8, depth + 1) : [];
    const known = frames.find(({ key }) => key.name === name && key.package === packageName);
    if (known) known.self += share;
    else frames.push(frame(name, packageName, source, deeper.length > 0 ? share * 0.2 : share, deeper));
  }
  return frames;
}

/** The work of each route: functions of the shop, with libraries under them. */
function routeFrames(random: () => number): Record<Route, MadeFrame[]> {
  const under = (value: number) => grow(random, value, 6);
  const views = (value: number) =>
    own('renderPage', 'views/render-page.js', value * 0.1, [
      own('renderHeader', 'views/header.js', value * 0.2, under(value * 0.2)),
      own('formatMoney', 'money/format-money.js', value * 0.25),
      ...under(value * 0.4),
    ]);
  const items = (value: number) =>
    own('loadItems', 'items/load-items.js', value * 0.1, [
      own('toItem', 'items/to-item.js', value * 0.25),
      ...under(value * 0.6),
    ]);
  return {
    'GET /': [own('showHome', 'routes/home.js', 200, [items(5000), views(6000)])],
    'GET /items': [
      own('listItems', 'routes/items.js', 300, [
        items(14_000),
        own('filterByStock', 'items/filter-by-stock.js', 2600),
        views(7000),
      ]),
    ],
    'GET /items/:id': [
      own('showItem', 'routes/items.js', 200, [
        items(6000),
        own('similarItems', 'items/similar-items.js', 2500, under(2500)),
        views(5000),
      ]),
    ],
    'GET /search': [
      own('search', 'routes/search.js', 400, [
        own('tokenize', 'search/tokenize.js', 4200),
        own('scoreResults', 'search/score-results.js', 9800, under(3000)),
        own('renderResults', 'search/render-results.js', 5200, under(4000)),
      ]),
    ],
    'POST /cart': [
      own('addToCart', 'routes/cart.js', 250, [own('validateCart', 'cart/validate-cart.js', 1900, under(2500)), items(2000)]),
    ],
    'POST /checkout': [
      own('checkout', 'routes/checkout.js', 500, [
        own('priceCart', 'pricing/price-cart.js', 900, [
          own('applyDiscounts', 'pricing/apply-discounts.js', 14_500, under(2600)),
          own('computeTax', 'pricing/compute-tax.js', 4100),
          own('legacyRounding', 'pricing/legacy-rounding.js', 1800),
        ]),
        own('reserveStock', 'stock/reserve-stock.js', 1700, under(4200)),
        own('sendReceipt', 'mail/send-receipt.js', 800, under(3800)),
      ]),
    ],
    'recalculate-recommendations': [
      own('recalculate', 'jobs/recommendations.js', 900, [
        own('cosineSimilarity', 'jobs/cosine-similarity.js', 12_000),
        own('loadOrders', 'jobs/load-orders.js', 1500, under(5000)),
      ]),
    ],
  };
}

/** The whole program: what carries the requests, and the routes in it. */
function program(seed: number): { root: MadeFrame; routeOf: Map<MadeFrame, Route> } {
  const random = seeded(seed);
  const routes = routeFrames(random);
  const routeOf = new Map<MadeFrame, Route>();
  const mark = (from: MadeFrame, route: Route) => {
    routeOf.set(from, route);
    for (const callee of from.calls) mark(callee, route);
  };
  for (const route of ROUTES) for (const top of routes[route]) mark(top, route);
  const http = ROUTES.filter((route) => route.includes(' ')).flatMap((route) => routes[route]);
  const handle = frame('handle', 'express', 'lib/router/layer.js', 700, http);
  const next = frame('next', 'express', 'lib/router/index.js', 900, [
    frame('json', 'body-parser', 'lib/types/json.js', 400, grow(random, 2600, 8)),
    handle,
  ]);
  const root = frame('total', '', '', 0, [
    frame('processTicksAndRejections', 'node', 'internal/process/task_queues', 600, [
      frame('parserOnIncoming', 'node', '_http_server', 500, [
        frame('emit', 'node', 'events', 300, [frame('app', 'express', 'lib/application.js', 300, [next])]),
      ]),
    ]),
    frame('listOnTimeout', 'node', 'internal/timers', 200, routes['recalculate-recommendations']),
    frame('(garbage collector)', 'native', '', 6200),
    frame('(program)', 'native', '', 2900),
  ]);
  return { root, routeOf };
}

/** Columns of a flame graph in preorder, functions by first use. */
export interface MadeTree {
  readonly depth: number[];
  readonly name: number[];
  readonly self: number[];
  readonly total: number[];
  readonly functions: FunctionKey[];
  readonly route: (Route | undefined)[];
}

export function madeTree(seed = 7, unitsPerValue = 1000): MadeTree {
  const { root, routeOf } = program(seed);
  const tree: MadeTree = { depth: [], name: [], self: [], total: [], functions: [], route: [] };
  const rowOf = new Map<string, number>();
  const visit = (from: MadeFrame, depth: number): number => {
    const row = tree.depth.length;
    const key = JSON.stringify(from.key);
    if (!rowOf.has(key)) rowOf.set(key, tree.functions.push(from.key) - 1);
    tree.depth.push(depth);
    tree.name.push(rowOf.get(key)!);
    tree.self.push(Math.round(from.self * unitsPerValue));
    tree.total.push(0);
    tree.route.push(routeOf.get(from));
    const value = (callee: MadeFrame): number => callee.self + callee.calls.reduce((sum, below) => sum + value(below), 0);
    let total = tree.self[row]!;
    for (const callee of [...from.calls].sort((a, b) => value(b) - value(a))) total += visit(callee, depth + 1);
    tree.total[row] = total;
    return total;
  };
  visit(root, 0);
  return tree;
}

/** One of many nodes, for speed: `rows` frames, up to 60 deep. */
export function largeTree(rows: number): MadeTree {
  const random = seeded(99);
  const functions = Array.from({ length: 4000 }, (_, index): FunctionKey => ({
    name: `function${index}`,
    package: index % 3 === 0 ? '' : `package${index % 40}`,
    file: `src/file${index % 300}.js`,
  }));
  const depth = [0];
  for (let row = 1; row < rows; row += 1)
    depth.push(Math.min(60, 1 + Math.floor(depth[row - 1]! * (0.75 + 0.3 * random()) + 1.2 * random())));
  const self = depth.map((_, row) => (row === 0 ? 0 : Math.ceil(random() ** 8 * 50_000)));
  const total = self.slice();
  const open: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    open.length = depth[row]!;
    for (const above of open) total[above]! += self[row]!;
    open.push(row);
  }
  return {
    depth,
    name: depth.map((_, row) => (row === 0 ? 0 : 1 + Math.floor(random() * 3998))),
    self,
    total,
    functions,
    route: [],
  };
}

/** Self and total of every function, a recursion counted once. */
export function functionTotals({
  depth,
  name,
  self,
  total,
  functions,
}: MadeTree): { key: FunctionKey; self: number; total: number }[] {
  const sums = functions.map((key) => ({ key, self: 0, total: 0 }));
  const open: number[] = [];
  for (let row = 0; row < depth.length; row += 1) {
    open.length = depth[row]!;
    if (row > 0) {
      sums[name[row]!]!.self += self[row]!;
      if (!open.includes(name[row]!)) sums[name[row]!]!.total += total[row]!;
    }
    open.push(name[row]!);
  }
  return sums.filter(({ total: value }) => value > 0);
}
