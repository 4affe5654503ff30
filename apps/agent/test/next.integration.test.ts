import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_DIST, PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples, labelTexts, nameOf } from './support/sink.js';

/** A folder in whose node_modules `next`, `react` and `react-dom` are. They are 340 MB, so they are not among the packages of the project. */
const NEXT = process.env['HEARTH_NEXT'];
const HOSTS = fileURLToPath(new URL('hosts/', import.meta.url));
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
  'next.config.mjs': snippetOf('next.config'),
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

describe.skipIf(NEXT === undefined)(
  `Next.js${NEXT === undefined ? ' (skipped: no HEARTH_NEXT, see docs/testing.md)' : ''}`,
  () => {
    let sink: Sink;
    let folder: string;
    beforeAll(async () => {
      sink = await new Sink().open();
      folder = mkdtempSync(path.join(NEXT!, 'app-'));
      for (const [file, text] of Object.entries(FILES)) {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), text);
      }
      for (const part of ['dist', 'package.json'])
        cpSync(`${AGENT_DIST}../${part}`, path.join(folder, 'node_modules/@hearth/agent', part), { recursive: true });
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
        nodeOptions: [...PRELOAD, '--import', `${HOSTS}listen-anywhere.mjs`],
        args: ['start', folder],
        // Otherwise Next ends the process at SIGTERM before the last period is sent.
        env: { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', NEXT_MANUAL_SIG_HANDLE: 'true' },
        onLine: (line, host) => {
          const port = /^port (\d+)$/.exec(line)?.[1];
          if (port === undefined) return;
          const requests = Array.from({ length: 20 }, () => paths).flat();
          void Promise.all(requests.map(async (where) => (await fetch(`http://127.0.0.1:${port}/${where}`)).text())).finally(() =>
            host.kill('SIGTERM'),
          );
        },
      });
      expect(countsByName(sink.stored), errors).toEqual({
        'GET /orders/[id] ok': 20,
        'GET /docs/[...path] ok': 20,
        'GET /api/items/[id] ok': 20,
        'GET /api/items/[id] error': 20,
        'GET /api/carts/[id] ok': 20,
        'price ok': 20,
        'GET /legacy/[slug] ok': 20,
        'GET /api/old ok': 20,
        'GET /about ok': 20,
        'GET (no route) ok': 40,
      });
      expect(labelTexts(sink.stored)).toContain('pro'); // said by the handler, through its own copy of the agent
      const rows = sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'));
      expect(rows.some(({ labels }) => nameOf(labels) === 'GET /orders/[id]')).toBe(true);
      expect(labelTexts(sink.stored).filter((text) => /\d{2}|secret/.test(text))).toEqual([]);
    });
  },
);
