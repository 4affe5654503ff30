import { spawnSync } from 'node:child_process';
import { root } from '../root.mjs';
import { checkBoundaries } from './boundaries.mjs';
import { checkDecisions, checkErrorCodes, checkFixtures, checkLinks } from './documents.mjs';
import { checkPlantedFaults } from './planted-faults.mjs';
import { checkSourceText } from './source-text.mjs';

/** Cheap to dear. Each gives the lines of what is wrong; none is a pass. */
const CHECKS = [
  { name: 'format (prettier)', run: () => command('prettier', ['--check', '--log-level', 'warn', '.']) },
  { name: 'types of tests, benchmarks and test support (tsc)', run: () => command('tsc', ['-p', 'tsconfig.tests.json']) },
  { name: "types of the dashboard's tests (tsc)", run: () => command('tsc', ['-p', 'apps/dashboard/tsconfig.tests.json']) },
  { name: 'lint (oxlint)', run: () => command('oxlint', ['--type-aware', '--deny-warnings', '.']) },
  { name: 'lint finds planted faults', run: checkPlantedFaults },
  { name: 'source text: no "export *", no addresses of registries, no paths of machines', run: checkSourceText },
  { name: 'boundaries (dependency-cruiser), every source file cruised', run: checkBoundaries },
  { name: 'dead code (knip)', run: () => command('knip', ['--no-progress', '--no-config-hints']) },
  { name: 'every error code has its section, every section its code', run: checkErrorCodes },
  { name: 'links between documents lead somewhere', run: checkLinks },
  { name: 'decision records have all their parts', run: checkDecisions },
  { name: 'every fixture has its provenance', run: checkFixtures },
];

/** Runs all checks, printing a line each. @returns {Promise<{ name: string, status: 'passed' | 'failed', seconds: number }[]>} */
export async function runChecks() {
  const results = [];
  for (const { name, run } of CHECKS) {
    const startedMs = performance.now();
    const faults = await run();
    const seconds = (performance.now() - startedMs) / 1000;
    const status = faults.length === 0 ? 'passed' : 'failed';
    console.log(`${status === 'passed' ? '  ok ' : 'FAIL '} ${name} (${seconds.toFixed(1)} s)`);
    for (const fault of faults) console.log(`       ${fault}`);
    results.push({ name, status, seconds });
  }
  return results;
}

function command(name, args) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [binOf(name), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  if (error) return [String(error)];
  return status === 0 ? [] : `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '');
}

function binOf(name) {
  const bins = {
    prettier: 'prettier/bin/prettier.cjs',
    tsc: 'typescript/bin/tsc',
    oxlint: 'oxlint/bin/oxlint',
    knip: 'knip/bin/knip.js',
  };
  return `${root}/node_modules/${bins[name]}`;
}
