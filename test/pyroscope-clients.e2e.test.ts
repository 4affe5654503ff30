import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import type { ComparisonAnswer, FlameGraphAnswer, RevisionAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const root = path.resolve(import.meta.dirname, '..');
const example = path.join(root, 'examples/pyroscope-client');

/** The published clients, unchanged: 0.6.4 sends a raw body, 0.4.5 a multipart form. */
const CLIENTS = [
  { version: '0.6.4', packageName: '@pyroscope/nodejs' },
  { version: '0.4.5', packageName: 'pyroscope-nodejs-0.4.5' },
];

describe.each(CLIENTS)('the Pyroscope client $version', ({ version, packageName }) => {
  const service = `thumbnails-${version}`;
  let postgres: TestPostgres;
  let server: TestServer;
  const clients: ChildProcess[] = [];
  let isVisiting = true;
  let folder = '';
  const startedMs = Date.now();

  beforeAll(async () => {
    postgres = await startTestPostgres();
    server = await startTestServer({ role: 'all', databaseUrl: postgres.url });
    // The example, with the other client's name where it names its own. Beside it, so that both are found.
    folder = mkdtempSync(path.join(example, '.try-'));
    const source = readFileSync(path.join(example, 'src/server.js'), 'utf8').replace("'@pyroscope/nodejs'", `'${packageName}'`);
    writeFileSync(path.join(folder, 'server.mjs'), source);
    for (const revision of ['abc123', 'def456']) {
      const client = fork(path.join(folder, 'server.mjs'), [], {
        env: {
          ...process.env,
          PORT: '0',
          PYROSCOPE_SERVER_ADDRESS: server.url,
          PYROSCOPE_AUTH_TOKEN: server.key,
          PYROSCOPE_APPLICATION_NAME: service,
          REVISION: revision,
          ENVIRONMENT: 'test',
          FLUSH_INTERVAL_MS: '3000',
        },
        execArgv: [],
      });
      clients.push(client);
      const [{ url }] = (await once(client, 'message')) as [{ url: string }];
      void visit(url);
    }
  });
  afterAll(async () => {
    isVisiting = false;
    for (const client of clients.filter(({ exitCode }) => exitCode === null)) {
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
  function flameGraphWith(names: readonly string[], query: string): Promise<FlameGraphAnswer> {
    return until(async () => {
      const answer = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?service=${service}&from=now-15m&${query}`);
      const missing = names.filter((name) => !answer.names.includes(name));
      if (missing.length > 0) throw new Error(`not in the flame graph yet: ${missing.join(', ')}`);
      return answer;
    });
  }

  async function post<Answer>(pathName: string, body: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' };
    const response = await fetch(`${server.url}${pathName}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Answer;
  }

  it('is seen in the flame graph, under its own service and revision', async () => {
    const flame = await flameGraphWith(['scale', 'sharpen', 'report'], 'type=cpu&revision=abc123&environment=test');
    expect(flame.unit).toBe('microseconds');
    expect(flame.sum).toBeGreaterThan(0);
    expect(flame.total[0]).toBe(flame.sum);
    await flameGraphWith(['scale'], 'type=cpu&revision=def456&environment=test');
    const revisions = await askJson<RevisionAnswer[]>(server, `/api/v1/services/${service}/revisions`);
    expect(revisions.map(({ revision }) => revision).sort()).toEqual(['abc123', 'def456']);
  });

  it('is compared, scaled to the same amount of work, because it counts no transactions', async () => {
    await flameGraphWith(['scale', 'sharpen'], 'type=cpu&revision=def456');
    const side = { service, type: 'cpu', from: String(startedMs), until: String(Date.now()) };
    const { id } = await post<{ id: string }>('/api/v1/comparisons', {
      baseline: { ...side, revision: 'abc123' },
      candidate: { ...side, revision: 'def456' },
    });
    const answer = await until(async () => {
      const comparison = await askJson<ComparisonAnswer>(server, `/api/v1/comparisons/${id}`);
      return comparison.status === 'pending' || comparison.status === 'running' ? undefined : comparison;
    });
    expect(answer).toMatchObject({ status: 'done', error: null, result: { basis: 'tmm' } });
    expect(answer.result!.functions.map(({ function: key }) => key.name)).toContain('scale');
  });

  it('has its wall-clock profile and its heap too', async () => {
    await flameGraphWith(['sharpen'], 'type=wall');
    expect((await flameGraphWith([], 'type=inuse_space')).unit).toBe('bytes');
  });

  it('has labels on what ran inside wrapWithLabels, and none after an await', async () => {
    const labelled = await flameGraphWith(['scale', 'report'], `type=wall&match=${encodeURIComponent('{route!=""}')}`);
    const sumOf = (name: string, answer: FlameGraphAnswer) =>
      answer.total.reduce((sum, value, row) => sum + (answer.names[answer.name[row]!] === name ? value : 0), 0);
    // What its README says that such a client loses.
    const all = await flameGraphWith(['sharpen'], 'type=wall');
    expect(sumOf('sharpen', labelled)).toBeLessThan(0.2 * sumOf('sharpen', all));
  });
});
