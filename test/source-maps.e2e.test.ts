import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ComparisonResult } from '@hearth/profile-diff';
import type { ComparisonAnswer, FlameGraphAnswer, FunctionsAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { bundle } from './support/bundle.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../apps/cli/dist/main.mjs', import.meta.url));
const PRELOAD = fileURLToPath(new URL('../apps/agent/dist/preload.mjs', import.meta.url));

let postgres: TestPostgres;
let server: TestServer;
let project = '';
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({ role: 'all', databaseUrl: postgres.url });
  project = mkdtempSync(path.join(tmpdir(), 'hearth-bundled-'));
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'bundled', private: true, type: 'module' }));
  cpSync(fileURLToPath(new URL('support/bundled', import.meta.url)), path.join(project, 'src'), { recursive: true });
});
afterAll(async () => {
  rmSync(project, { recursive: true, force: true });
  await server?.stop();
  await postgres?.stop();
});

const RELEASES = { 'release-1': 'main', 'release-2': 'later', 'release-3': 'main' } as const;
type Release = keyof typeof RELEASES;

/** Each release is deployed as containers are: the bundle alone, elsewhere, beside a package.json. */
async function build(release: Release): Promise<string> {
  const dist = path.join(project, release, 'dist');
  mkdirSync(dist, { recursive: true });
  await bundle(path.join(dist, 'server.js'), { entry: RELEASES[release], sourceDir: path.join(project, 'src') });
  return dist;
}
async function work(release: Release): Promise<void> {
  const deployed = path.join(project, 'deployed', release);
  mkdirSync(deployed, { recursive: true });
  cpSync(path.join(project, release, 'dist/server.js'), path.join(deployed, 'server.js'));
  cpSync(path.join(project, 'package.json'), path.join(deployed, 'package.json'));
  await run(process.execPath, ['--no-turbo-inlining', '--import', PRELOAD, 'server.js', '1500'], {
    cwd: deployed,
    env: { PATH: process.env['PATH'], HEARTH_URL: server.url, HEARTH_KEY: server.key, HEARTH_REVISION: release },
  });
}
const hearth = async (...args: string[]) =>
  run(process.execPath, [CLI, ...args], {
    cwd: project,
    env: { PATH: process.env['PATH'], HEARTH_URL: server.url, HEARTH_KEY: server.key },
  });
const ownFunctions = async (revision: string): Promise<string[]> => {
  const { functions } = await askJson<FunctionsAnswer>(
    server,
    `/api/v1/functions?service=bundled&revision=${revision}&from=now-15m`,
  );
  return functions.filter((one) => one.package === '' && one.name !== '(anonymous)').map(({ name, file }) => `${name} ${file}`);
};

async function compare(baseline: Release, candidate: Release): Promise<ComparisonResult> {
  const side = (revision: string) => ({ service: 'bundled', revision, from: 'now-15m', until: 'now' });
  const response = await fetch(`${server.url}/api/v1/comparisons`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ baseline: side(baseline), candidate: side(candidate) }),
  });
  const { id } = (await response.json()) as ComparisonAnswer;
  return until(async () => (await askJson<ComparisonAnswer>(server, `/api/v1/comparisons/${id}`)).result ?? undefined);
}

describe('a service that is one minified file', () => {
  it('shows the functions of its sources, from the first batch on, in flame graph and functions', async () => {
    for (const release of ['release-1', 'release-2'] as const) {
      const dist = await build(release);
      const { stdout } = await hearth('source-maps', 'upload', dist, '--revision', release);
      expect(stdout).toContain('stored');
      await work(release);
    }
    const functions = await ownFunctions('release-1');
    for (const expected of ['spin src/cart.ts', 'tax src/tax.ts', 'arrowTotal src/cart.ts', 'runEverything src/main.ts'])
      expect(functions).toContain(expected);
    expect(functions.filter((name) => name.endsWith('server.js'))).toEqual([]);
    const flame = await askJson<FlameGraphAnswer>(server, '/api/v1/flame-graph?service=bundled&revision=release-1&from=now-15m');
    expect(flame.files[flame.names.indexOf('spin')]).toBe('src/cart.ts');
  }, 60_000);

  it('is compared with its next release, function by function', async () => {
    const { functions, warnings } = await compare('release-1', 'release-2');
    const spins = functions.filter((row) => row.function.name === 'spin' && row.metric === 'self');
    expect(spins.map((row) => row.function.file)).toEqual(['src/cart.ts']);
    expect(spins[0]!.change.baselineSamples).toBeGreaterThan(10);
    expect(spins[0]!.change.candidateSamples).toBeGreaterThan(10);
    expect(warnings.map(({ code }) => code)).not.toContain('MINIFIED_CODE');
  }, 60_000);

  it('stays minified without its map, and the list says so', async () => {
    await build('release-3');
    await work('release-3');
    expect(await ownFunctions('release-3')).not.toContain('spin src/cart.ts');
    const { minified } = await askJson<SourceMapsAnswer>(server, '/api/v1/source-maps?service=bundled&revision=release-3');
    expect(minified).toMatchObject([{ service: 'bundled', revision: 'release-3', file: 'server.js' }]);
    const asked = '/api/v1/flame-graph?service=bundled&revision=release-3&from=now-15m';
    expect((await askJson<FlameGraphAnswer>(server, asked)).minified).toEqual([
      { revision: 'release-3', file: 'server.js', hasMap: false },
    ]);
    const { functions, warnings } = await compare('release-1', 'release-3');
    expect(warnings.map(({ code }) => code)).toContain('MINIFIED_CODE');
    const names = functions.filter((row) => row.function.file === 'server.js').map((row) => row.function.name);
    expect(new Set(names)).toEqual(new Set(['(minified)']));
  }, 60_000);
});

describe('the command line that the server serves', () => {
  it('is installed and run as its page says', async () => {
    const { stdout } = await run('npx', ['--yes', `${server.url}/install/cli.tgz`, '--version'], { cwd: project });
    expect(stdout).toBe('0.1.0\n');
  }, 60_000);
});
