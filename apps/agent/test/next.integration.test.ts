import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_DIST, PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples, labelTexts, nameOf } from './support/sink.js';

/** A folder in whose node_modules `next`, `react` and `react-dom` are. They are 340 MB, so they are not among the packages of the project. */
const NEXT = process.env['HEARTH_NEXT'];
const HOSTS = fileURLToPath(new URL('hosts/', import.meta.url));
const PPROF = path.dirname(createRequire(`${AGENT_DIST}index.mjs`).resolve('@datadog/pprof/package.json'));
const BURN = 'function burn(ms) { const until = performance.now() + ms; while (performance.now() < until) Math.sqrt(until); }';

/** The block of the install page that begins with a comment on this file, letter for letter. */
function snippetOf(file: string): string {
  const page = readFileSync(new URL('../../../docs/install/nextjs.md', import.meta.url), 'utf8');
  return [...page.matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, source]) => source!)
    .find((source) => source.startsWith(`// ${file}`))!;
}

/** One route of each kind: of both routers, page and handler, dynamic, catch-all, made while building, and a file. */
const FILES = {
  'package.json': '{ "name": "shop", "private": true }',
  'app/layout.js': 'export default function Layout({ children }) { return <html><body>{children}</body></html>; }',
  'app/about/page.js': 'export default function About() { return <p>about</p>; }',
  'app/orders/[id]/page.js': `${BURN}
    export default async function Order({ params }) { const { id } = await params; burn(5); await null; burn(5); return <p>{id}</p>; }`,
  'app/docs/[...path]/page.js': 'export default async function Docs({ params }) { return <p>{(await params).path.join()}</p>; }',
  'app/api/carts/[id]/route.js': snippetOf('app/api/carts'),
  'app/api/items/[id]/route.js': `export async function GET(request, { params }) {
    const { id } = await params;
    if (id === '500') throw new Error('of the handler');
    return Response.json({ id }); }`,
  'pages/legacy/[slug].js': `export const getServerSideProps = async ({ params }) => ({ props: params });
    export default function Legacy({ slug }) { return <p>{slug}</p>; }`,
  'pages/api/old.js': 'export default function handler(request, response) { response.json({}); }',
  'public/file.txt': 'a file',
};

const LISTEN = ['--import', `${HOSTS}listen-anywhere.mjs`];
/** How the agent gets into the server. */
const WAYS = [
  {
    way: 'preloaded, and not bundled',
    nodeOptions: [...PRELOAD, ...LISTEN],
    files: { 'next.config.mjs': snippetOf('next.config') },
  },
  { way: 'preloaded, and bundled', nodeOptions: [...PRELOAD, ...LISTEN], files: {} },
  {
    way: 'started by the bundle',
    nodeOptions: LISTEN,
    files: { 'instrumentation.js': snippetOf('instrumentation') },
  },
];

describe.skipIf(NEXT === undefined).each(WAYS)(
  `Next.js${NEXT === undefined ? ' (skipped: no HEARTH_NEXT, see docs/testing.md)' : ''}, the agent $way`,
  ({ nodeOptions, files }) => {
    let sink: Sink;
    let folder: string;
    beforeAll(async () => {
      sink = await new Sink().open();
      folder = mkdtempSync(path.join(NEXT!, 'app-'));
      for (const [file, text] of Object.entries({ ...FILES, ...files })) {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), text);
      }
      for (const part of ['dist', 'package.json'])
        cpSync(`${AGENT_DIST}../${part}`, path.join(folder, 'node_modules/@hearth/agent', part), { recursive: true });
      mkdirSync(path.join(folder, 'node_modules/@datadog'));
      symlinkSync(PPROF, path.join(folder, 'node_modules/@datadog/pprof')); // with what it needs beside it
      const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
      await promisify(execFile)(process.execPath, [path.join(NEXT!, 'node_modules/next/dist/bin/next'), 'build', folder], {
        env,
      });
    }, 300_000);
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await sink.close();
    });

    it('names requests under load after the files of their routes', async () => {
      const paths = [
        'orders/1234',
        'docs/a/5678',
        'api/items/77',
        'api/items/500',
        'api/carts/42',
        'legacy/secret',
        'api/old',
        'about',
        'nowhere/1',
        'file.txt',
      ];
      const { errors } = await runHost(path.relative(HOSTS, path.join(NEXT!, 'node_modules/next/dist/bin/next')), sink.url, {
        nodeOptions,
        args: ['start', folder],
        // Otherwise Next ends the process at SIGTERM before the last period is sent.
        env: { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', NEXT_MANUAL_SIG_HANDLE: 'true' },
        onLine: (line, host) => {
          const port = /^port (\d+)$/.exec(line)?.[1];
          if (port === undefined) return;
          const ask = async (where: string) => (await fetch(`http://127.0.0.1:${port}/${where}`)).text();
          const requests = Array.from({ length: 20 }, () => paths).flat();
          // Next listens before it starts what the bundle starts, and answers after it.
          void ask('first')
            .then(() => Promise.all(requests.map(ask)))
            .finally(() => host.kill('SIGTERM'));
        },
      });
      const { 'GET (no route) ok': withoutRoute, ...counts } = countsByName(sink.stored);
      expect([40, 41]).toContain(withoutRoute); // the first request too, unless it came before the agent
      expect(counts, errors).toEqual({
        'GET /orders/[id] ok': 20,
        'GET /docs/[...path] ok': 20,
        'GET /api/items/[id] ok': 20,
        'GET /api/items/[id] error': 20,
        'GET /api/carts/[id] ok': 20,
        'price ok': 20,
        'GET /legacy/[slug] ok': 20,
        'GET /api/old ok': 20,
        'GET /about ok': 20,
      });
      expect(labelTexts(sink.stored)).toContain('pro'); // said by the handler, through its own copy of the agent
      const rows = sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'));
      expect(
        rows.some(({ labels }) => nameOf(labels) === 'GET /orders/[id]'),
        errors,
      ).toBe(true);
      expect(labelTexts(sink.stored).filter((text) => /\d{2}|secret/.test(text))).toEqual([]);
    });
  },
);
