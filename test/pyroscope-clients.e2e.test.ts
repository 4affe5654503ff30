import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlameGraphAnswer, LabelsAnswer, RevisionAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startTestServer, type TestServer } from './support/server.js';

const root = path.resolve(import.meta.dirname, '..');
const example = path.join(root, 'examples/pyroscope-client');
const SEEN_WITHIN_MS = 60_000;

/** The published clients, unchanged: 0.6.4 sends a raw body, 0.4.5 a multipart form. */
const CLIENTS = [
  { version: '0.6.4', packageName: '@pyroscope/nodejs' },
  { version: '0.4.5', packageName: 'pyroscope-nodejs-0.4.5' },
];

describe.each(CLIENTS)('the Pyroscope client $version', ({ version, packageName }) => {
  const service = `thumbnails-${version}`;
  let postgres: TestPostgres;
  let server: TestServer;
  let client: ChildProcess;
  let isVisiting = true;
  let folder = '';

  beforeAll(async () => {
    postgres = await startTestPostgres();
    server = await startTestServer({ role: 'all', databaseUrl: postgres.url });
    // The example, with the other client's name where it names its own. Beside it, so that both are found.
    folder = mkdtempSync(path.join(example, '.try-'));
    const source = readFileSync(path.join(example, 'src/server.js'), 'utf8').replace("'@pyroscope/nodejs'", `'${packageName}'`);
    writeFileSync(path.join(folder, 'server.mjs'), source);
    client = fork(path.join(folder, 'server.mjs'), [], {
      env: {
        ...process.env, PORT: '0', PYROSCOPE_SERVER_ADDRESS: server.url, PYROSCOPE_AUTH_TOKEN: server.key, PYROSCOPE_APPLICATION_NAME: service,
        REVISION: 'abc123', ENVIRONMENT: 'test', FLUSH_INTERVAL_MS: '3000',
      },
      execArgv: [],
    });
    const [{ url }] = (await once(client, 'message')) as [{ url: string }];
    void visit(url);
  });
  afterAll(async () => {
    isVisiting = false;
    if (client?.exitCode === null) {
      client.kill('SIGTERM');
      await once(client, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
    await server?.stop();
    await postgres?.stop();
  });

  async function visit(url: string): Promise<void> {
    while (isVisiting) {
      await fetch(`${url}/scale`).catch(() => undefined);
      await fetch(`${url}/report`).catch(() => undefined);
    }
  }

  /** The flame graph, once it holds all these functions. */
  async function flameGraphWith(names: readonly string[], query: string): Promise<FlameGraphAnswer> {
    for (const untilMs = Date.now() + SEEN_WITHIN_MS; ; ) {
      const answer = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?service=${service}&from=now-15m&${query}`).catch(() => undefined);
      if (answer !== undefined && names.every((name) => answer.names.includes(name))) return answer;
      if (Date.now() > untilMs) throw new Error(`never saw ${names.join(', ')}; only ${answer?.names.join(', ') ?? 'no answer'}`);
      await sleep(500);
    }
  }

  it('is seen in the flame graph, under its own service and revision', async () => {
    const flame = await flameGraphWith(['scale', 'sharpen', 'report'], 'type=cpu&revision=abc123&environment=test');
    expect(flame.unit).toBe('microseconds');
    expect(flame.sum).toBeGreaterThan(0);
    expect(flame.total[0]).toBe(flame.sum);
    const revisions = await askJson<RevisionAnswer[]>(server, `/api/v1/services/${service}/revisions`);
    expect(revisions.map(({ revision }) => revision)).toEqual(['abc123']);
  });

  it('has its wall-clock profile and its heap too', async () => {
    await flameGraphWith(['sharpen'], 'type=wall');
    expect((await flameGraphWith([], 'type=inuse_space')).unit).toBe('bytes');
  });

  it('has labels on what ran inside wrapWithLabels, and none after an await', async () => {
    const { labels } = await askJson<LabelsAnswer>(server, `/api/v1/services/${service}/labels?from=now-15m&until=now`);
    expect(labels.map(({ name }) => name)).toContain('route');
    const labelled = await flameGraphWith(['scale', 'report'], `type=wall&match=${encodeURIComponent('{route!=""}')}`);
    const share = (name: string, answer: FlameGraphAnswer) => answer.total.reduce((sum, value, row) => sum + (answer.names[answer.name[row]!] === name ? value : 0), 0);
    // What its README says that such a client loses.
    const all = await flameGraphWith(['sharpen'], 'type=wall');
    expect(share('sharpen', labelled)).toBeLessThan(0.2 * share('sharpen', all));
  });
});
