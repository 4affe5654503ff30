import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { labelValue } from '@hearth/profile-model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AGENT_DIST, PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples } from './support/sink.js';

const PAGES = fileURLToPath(new URL('../../../docs/install/', import.meta.url));
const LISTEN_ANYWHERE = ['--import', fileURLToPath(new URL('hosts/listen-anywhere.mjs', import.meta.url))];

/** What a page's program takes for granted, what is done to it, and what it must have sent. */
interface Trial {
  /** Functions that the page names but does not show. */
  readonly surroundings?: string;
  /** Requests to its server, as `METHOD path body`, each sent eight times, all at once; then SIGTERM. Without any it ends by itself. */
  readonly requests?: readonly string[];
  /** Finished transactions by `name outcome`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly check?: (sink: Sink) => void;
}

const BURN = 'function burn(ms) { const until = performance.now() + ms; while (performance.now() < until) Math.sqrt(until); }';

const OF_ORDERS: Trial = {
  requests: ['GET /orders/17', 'GET /nowhere/17'],
  counts: { 'GET /orders/:id ok': 8, 'GET (no route) ok': 8 },
};

const TRIALS: Readonly<Record<string, Trial>> = {
  'express.md': OF_ORDERS,
  'fastify.md': OF_ORDERS,
  'koa.md': OF_ORDERS,
  'hono.md': OF_ORDERS,
  'graphql.md': {
    requests: ['POST /graphql {"query":"query GetUser { user(id: 17) }"}'],
    counts: { 'POST /graphql query GetUser ok': 8 },
  },
  'pyroscope.md': {
    surroundings: `${BURN}
      function wait(ms) { return new Promise((resolve) => setTimeout(resolve, ms)); }
      function scale() { burn(100); return [1]; }
      function sharpen(pixels) { burn(200); return pixels; }
      async function save() { await wait(5); }`,
    counts: {},
    check: ({ stored }) => {
      const rows = stored.flatMap((batch) => flatSamples(batch, 'cpu'));
      const sharpened = rows.filter(({ functionsRootFirst: names }) => names.includes('sharpen'));
      expect(sharpened.length).toBeGreaterThan(0);
      expect(sharpened.every(({ labels }) => labelValue(labels, 'route') === 'scale')).toBe(true);
    },
  },
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(AGENT_DIST, '../.try-pages-')); // here `@hearth/agent` and the frameworks are found
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'page', type: 'module' }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first program of the page, letter for letter. */
function programOf(page: string): string {
  return /```js\n([\s\S]*?)```/.exec(readFileSync(PAGES + page, 'utf8'))![1]!;
}

it('every page is tried', () => {
  expect(Object.keys(TRIALS).sort()).toEqual(readdirSync(PAGES).sort());
});

it.each(Object.entries(TRIALS))('%s runs as it is written', async (page, { surroundings = '', requests = [], counts, check }) => {
  const sink = await new Sink().open();
  const file = path.join(folder, page.replace('.md', '.js'));
  // Behind the program: its line numbers stay, and functions may be called before they are written.
  writeFileSync(file, `${programOf(page)}\n${surroundings}`);
  try {
    const isServer = requests.length > 0;
    const { code, errors, output } = await runHost(path.relative(path.join(AGENT_DIST, '../test/hosts'), file), sink.url, {
      nodeOptions: isServer ? [...PRELOAD, ...LISTEN_ANYWHERE] : [],
      onLine: (line, host) => {
        const port = /^port (\d+)$/.exec(line)?.[1];
        if (port === undefined) return;
        void sendAll(`http://127.0.0.1:${port}`, requests).finally(() => host.kill('SIGTERM'));
      },
    });
    if (!isServer) expect(code, errors).toBe(0);
    expect(countsByName(sink.stored), errors + output).toEqual(counts);
    check?.(sink);
  } finally {
    await sink.close();
  }
});

async function sendAll(url: string, requests: readonly string[]): Promise<void> {
  const eight = Array.from({ length: 8 }, () => requests).flat();
  await Promise.all(
    eight.map(async (request) => {
      const [method, where, ...words] = request.split(' ');
      const body = words.length === 0 ? {} : { body: words.join(' '), headers: { 'content-type': 'application/json' } };
      await (await fetch(url + where!, { method: method!, ...body })).arrayBuffer();
    }),
  );
}
