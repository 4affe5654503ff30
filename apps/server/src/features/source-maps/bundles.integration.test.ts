import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, type BundleOptions } from '../../../../../test/support/bundle.js';
import { run as findFunctions } from './find-functions.worker.js';
import type { GeneratedFunction } from './original-function.js';
import { run as readSourceMap } from './read-source-map.worker.js';

const RECORD_SITES = fileURLToPath(new URL('../../../../../test/support/bundled/record-sites.mjs', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-bundles-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What is in the sources, but for anonymous functions. */
const NAMES = [
  '#hiddenPrice in cart.ts',
  'Cart in cart.ts',
  'addItem in cart.ts',
  'arrowTotal in cart.ts',
  'asyncArrow in cart.ts',
  'byKey in cart.ts',
  'create in cart.ts',
  'expressed in cart.ts',
  'generated in cart.ts',
  'get totalPrice in cart.ts',
  'lookUp in cart.ts',
  'reveal in cart.ts',
  'runEverything in main.ts',
  'spin in cart.ts',
  'tax in tax.ts',
];

interface CpuProfile {
  readonly nodes: readonly {
    readonly callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number };
  }[];
}

/** The functions of the bundle that V8's own profiler saw, at its highest rate. */
async function profiled(file: string): Promise<GeneratedFunction[]> {
  const profiles = path.join(folder, 'profiles', path.basename(file));
  const flags = [
    '--no-turbo-inlining',
    '--no-maglev-inlining',
    '--cpu-prof',
    '--cpu-prof-interval',
    '200',
    '--cpu-prof-dir',
    profiles,
  ];
  await promisify(execFile)(process.execPath, [...flags, file, '700']);
  const { nodes } = JSON.parse(readFileSync(path.join(profiles, readdirSync(profiles)[0]!), 'utf8')) as CpuProfile;
  const functions = new Map<string, GeneratedFunction>();
  for (const { callFrame } of nodes) {
    if (!callFrame.url.endsWith(path.basename(file)) || callFrame.lineNumber < 0) continue;
    const one = {
      name: callFrame.functionName,
      line: callFrame.lineNumber + 1,
      column: callFrame.columnNumber + 1,
      at: 'parameters' as const,
    };
    functions.set(JSON.stringify(one), one);
  }
  return [...functions.values()];
}

/** The functions of the bundle that call sites of errors name. */
async function onCallSites(file: string): Promise<GeneratedFunction[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', RECORD_SITES, file, '700']);
  const sites = JSON.parse(stdout.trim().split('\n').at(-1)!) as Omit<GeneratedFunction, 'at'>[];
  return sites.map((site) => ({ ...site, at: 'first-word' as const }));
}

async function namesIn(
  name: string,
  options: BundleOptions,
  { sources = 'sent', functionsOf = profiled }: { sources?: 'sent' | 'left-out'; functionsOf?: typeof profiled } = {},
): Promise<string[]> {
  const file = path.join(folder, name);
  await bundle(file, options);
  const map = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as Record<string, unknown>;
  if (sources === 'left-out') delete map['sourcesContent'];
  const body = Uint8Array.from(Buffer.from(JSON.stringify(map)));
  const read = readSourceMap({ body, encoding: 'identity', maxBytes: 2 ** 25, file: `dist/${name}` });
  if ('fault' in read) throw new Error(read.fault.detail);
  const functions = await functionsOf(file);
  const found = findFunctions({ hash: read.hash, stored: read, functions });
  if (found === 'map-not-here') throw new Error(found);
  return [
    ...new Set(
      found
        .filter((one) => one !== undefined && one.name !== '(anonymous)' && !one.name.startsWith('<'))
        .map((one) => `${one!.name} in ${path.basename(one!.file)}`),
    ),
  ].sort();
}

describe('functions of bundles', () => {
  it('are found by the names of their sources, whatever rolldown made of them', async () => {
    expect(await namesIn('rolldown.mjs', { minifier: 'rolldown' })).toEqual(NAMES);
  });

  it('are found in a bundle that nobody minified', async () => {
    expect(await namesIn('plain.mjs', { minifier: 'none' })).toEqual(NAMES);
  });

  it('are the same where waits name them, by call sites of errors', async () => {
    for (const minifier of ['rolldown', 'none'] as const) {
      const names = await namesIn(`sites-${minifier}.mjs`, { minifier }, { functionsOf: onCallSites });
      expect(names).toEqual(NAMES);
    }
  });

  it('have no wrong name where a tool or its map tells less: only fewer', async () => {
    const swc = await namesIn('swc.mjs', { minifier: 'swc' });
    const withoutSources = await namesIn('bare.mjs', { minifier: 'rolldown' }, { sources: 'left-out' });
    for (const names of [swc, withoutSources]) {
      expect(names.filter((name) => !NAMES.includes(name))).toEqual([]);
      expect(names.length).toBeGreaterThanOrEqual(6);
    }
    expect(swc).toContain('spin in cart.ts');
  });
});
