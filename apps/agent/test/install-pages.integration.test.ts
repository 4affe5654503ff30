import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { labelValue } from '@hearth/profile-model';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestRedis, whyNoRedis } from '../../../test/support/redis.js';
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
  /** By the agent's preload, as its command line says. Servers always are. */
  readonly isPreloaded?: boolean;
  readonly endsBy?: NodeJS.Signals;
  readonly needsRedis?: boolean;
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
  'nestjs.md': {
    requests: ['GET /orders/17', 'POST /orders/17/invoice'],
    counts: { 'GET /orders/:id ok': 8, 'POST /orders/:id/invoice ok': 8, 'Invoices.print ok': 8 },
  },
  'node-cron.md': {
    surroundings: `
      import { flush } from '@hearth/agent';
      var left = 2;
      function removeOld() {}
      function refreshPrices() { if (--left === 0) setTimeout(() => flush().then(() => process.exit(0)), 50); }`,
    isPreloaded: true,
    counts: { 'refreshPrices ok': 2 },
  },
  'aws-lambda.md': {
    surroundings: `
      function resize(width) { return width + 'px'; }
      console.log(await handler({ width: 7 }, { functionName: 'thumbnails' }));
      process.kill(process.pid, 'SIGKILL'); // frozen for good`,
    isPreloaded: true,
    endsBy: 'SIGKILL',
    counts: { 'thumbnails ok': 1 },
  },
  'bullmq.md': {
    needsRedis: true,
    surroundings: `
      import { Queue, QueueEvents } from 'bullmq';
      const connection = { url: process.env.REDIS_URL };
      const [queue, events] = [new Queue('mail', { connection }), new QueueEvents('mail', { connection })];
      await events.waitUntilReady();
      const jobs = await queue.addBulk([1, 2, 3].map((to) => ({ name: 'welcome', data: { to } })));
      for (const job of jobs) await job.waitUntilFinished(events);
      await Promise.all([worker.close(), queue.close(), events.close()]);`,
    isPreloaded: true,
    counts: { 'mail welcome ok': 3 },
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

/** The first program of the page, letter for letter; of TypeScript what its compiler makes of it. */
function programOf(page: string): string {
  const [, language, source] = /```(js|ts)\n([\s\S]*?)```/.exec(readFileSync(PAGES + page, 'utf8'))!;
  if (language === 'js') return source!;
  const { ES2022 } = ts.ScriptTarget;
  const compilerOptions = {
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    target: ES2022,
    module: ts.ModuleKind.ESNext,
  };
  return ts.transpileModule(source!, { compilerOptions }).outputText;
}

/** Its packages are too large for this: next.integration.test.ts. */
const TRIED_ELSEWHERE = ['nextjs.md'];

it('every page is tried', () => {
  expect([...Object.keys(TRIALS), ...TRIED_ELSEWHERE].sort()).toEqual(readdirSync(PAGES).sort());
});

const whyNot = whyNoRedis();
for (const [page, trial] of Object.entries(TRIALS)) {
  const isSkipped = trial.needsRedis === true && whyNot !== undefined;
  it.skipIf(isSkipped)(`${page} runs as it is written${isSkipped ? ` (skipped: ${whyNot})` : ''}`, () => tryPage(page, trial));
}

async function tryPage(page: string, trial: Trial): Promise<void> {
  const { surroundings = '', requests = [], counts, check, needsRedis, isPreloaded, endsBy } = trial;
  const redis = needsRedis === true ? await startTestRedis() : undefined;
  const sink = await new Sink().open();
  const file = path.join(folder, page.replace('.md', '.js'));
  // Behind the program: its line numbers stay, and functions may be called before they are written.
  writeFileSync(file, `${programOf(page)}\n${surroundings}`);
  try {
    const isServer = requests.length > 0;
    const { code, signal, errors, output } = await runHost(
      path.relative(path.join(AGENT_DIST, '../test/hosts'), file),
      sink.url,
      {
        nodeOptions: isServer ? [...PRELOAD, ...LISTEN_ANYWHERE] : isPreloaded === true ? PRELOAD : [],
        env: { REDIS_URL: redis?.url ?? '' },
        onLine: (line, host) => {
          const port = /^port (\d+)$/.exec(line)?.[1];
          if (port === undefined) return;
          void sendAll(`http://127.0.0.1:${port}`, requests).finally(() => host.kill('SIGTERM'));
        },
      },
    );
    if (!isServer) expect(endsBy === undefined ? code : signal, errors).toBe(endsBy ?? 0);
    expect(countsByName(sink.stored), errors + output).toEqual(counts);
    check?.(sink);
  } finally {
    await sink.close();
    await redis?.stop();
  }
}

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
