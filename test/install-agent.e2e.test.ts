import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { FlameGraphAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);

/** One program in both kinds of modules; only the first line differs. It works until it is told to end. */
const PROGRAM = `
let isEnding = false;
process.on('message', () => { isEnding = true; });
function roastCoffee(milliseconds) {
  const until = performance.now() + milliseconds;
  let beans = 0;
  while (performance.now() < until) for (let bean = 0; bean < 1000; bean += 1) beans += Math.sqrt(bean);
  return beans;
}
async function work() {
  while (!isEnding) {
    await transaction('roast', { blend: 'dark' }, async () => {
      roastCoffee(15);
      await new Promise((resolve) => setTimeout(resolve, 5));
      roastCoffee(15);
    });
  }
  process.disconnect();
}
process.send('working');
work();
`;
const KINDS = [
  {
    kind: 'ESM',
    file: 'program.mjs',
    source: `import { transaction } from '@hearth/agent';\n${PROGRAM}`,
    flags: ['--import', '@hearth/agent/preload'],
  },
  {
    kind: 'CommonJS',
    file: 'program.cjs',
    source: `const { transaction } = require('@hearth/agent');\n${PROGRAM}`,
    flags: ['--require', '@hearth/agent/preload'],
  },
];

describe('the agent that the server serves', () => {
  let postgres: TestPostgres;
  let server: TestServer;
  let project = '';

  beforeAll(async () => {
    postgres = await startTestPostgres();
    server = await startTestServer({ role: 'all', databaseUrl: postgres.url });
    project = mkdtempSync(path.join(tmpdir(), 'hearth-empty-project-'));
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'coffee', version: '2.0.0', private: true }));
    // Exactly what the Install page says.
    await run('npm', ['install', `${server.url}/install/agent.tgz`, '--no-audit', '--no-fund'], { cwd: project });
  }, 180_000);
  afterAll(async () => {
    rmSync(project, { recursive: true, force: true });
    await server?.stop();
    await postgres?.stop();
  });

  it('installs as @hearth/agent, with types, without any other package of ours', () => {
    const manifest = JSON.parse(readFileSync(path.join(project, 'node_modules/@hearth/agent/package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({ name: '@hearth/agent', license: 'Apache-2.0' });
    expect(manifest['private']).toBeUndefined();
    expect(JSON.stringify(manifest)).not.toContain('hearth-source');
    expect(Object.keys(manifest['dependencies'] as object)).toEqual(['@datadog/pprof']);
    for (const types of ['index', 'preload', 'pyroscope', 'koa', 'hono', 'graphql', 'bullmq', 'lambda'].flatMap((entry) => [
      `dist/${entry}.d.mts`,
      `dist/${entry}.d.cts`,
    ])) {
      expect(() => readFileSync(path.join(project, 'node_modules/@hearth/agent', types))).not.toThrow();
    }
  });

  it.each(KINDS)('shows the flame graph and the transactions of a program in $kind', async ({ kind, file, source, flags }) => {
    const service = `coffee-${kind}`;
    writeFileSync(path.join(project, file), source);
    const program = fork(path.join(project, file), [], {
      cwd: project,
      execArgv: flags,
      env: {
        ...process.env,
        HEARTH_URL: server.url,
        HEARTH_KEY: server.key,
        HEARTH_SERVICE: service,
        HEARTH_ENVIRONMENT: 'test',
      },
    });
    try {
      await once(program, 'message');
      const flame = await until(async () => {
        const answer = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?service=${service}&from=now-15m`);
        return answer.names.includes('roastCoffee') ? answer : undefined;
      });
      expect(flame.files[flame.names.indexOf('roastCoffee')]).toBe(file);
      expect(flame.sum).toBeGreaterThan(0);
      const { transactions } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?service=${service}&from=now-15m`);
      expect(transactions.map(({ name, kind: transactionKind }) => [name, transactionKind])).toEqual([['roast', 'custom']]);
    } finally {
      const exited = once(program, 'exit');
      program.send('end');
      expect((await exited)[0], 'the program ends by itself, with its own exit code').toBe(0);
    }
  });
});
