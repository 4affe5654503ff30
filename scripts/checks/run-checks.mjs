import { availableParallelism } from 'node:os';
import { root } from '../root.mjs';
import { checkBoundaries } from './boundaries.mjs';
import { checkDecisions, checkErrorCodes, checkFixtures, checkLinks } from './documents.mjs';
import { checkPlantedFaults } from './planted-faults.mjs';
import { runProgram } from './run-program.mjs';
import { checkSourceText } from './source-text.mjs';

/** Dear to cheap, so that none is left alone at the end. Each gives the lines of what is wrong; none is a pass. */
const CHECKS = [
  { name: 'types of tests, benchmarks and test support (tsc)', run: () => command('tsc', ['-p', 'tsconfig.tests.json']) },
  { name: 'format (prettier)', run: () => command('prettier', ['--check', '--log-level', 'warn', '.']) },
  { name: "types of the dashboard's tests (tsc)", run: () => command('tsc', ['-p', 'apps/dashboard/tsconfig.tests.json']) },
  { name: 'lint (oxlint)', run: () => command('oxlint', ['--type-aware', '--deny-warnings', '.']) },
  { name: 'boundaries (dependency-cruiser), every source file cruised', run: checkBoundaries },
  { name: 'dead code (knip)', run: () => command('knip', ['--no-progress', '--no-config-hints']) },
  { name: 'source text: no "export *", no addresses of registries, no paths of machines', run: checkSourceText },
  { name: 'every error code has its section, every section its code', run: checkErrorCodes },
  { name: 'links between documents lead somewhere', run: checkLinks },
  { name: 'decision records have all their parts', run: checkDecisions },
  { name: 'every fixture has its provenance', run: checkFixtures },
];
/** By itself: it puts files with faults among the sources. */
const LAST_CHECK = { name: 'lint finds planted faults', run: checkPlantedFaults };

/** Runs all checks, as many at once as there are cores, printing a line for each when it is done. @returns {Promise<{ name: string, status: 'passed' | 'failed', seconds: number }[]>} */
export async function runChecks() {
  const results = [];
  const waiting = [...CHECKS];
  const workOff = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) results.push(await runCheck(check));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, workOff));
  results.push(await runCheck(LAST_CHECK));
  return results;
}

async function runCheck({ name, run }) {
  const startedMs = performance.now();
  const faults = await run();
  const seconds = (performance.now() - startedMs) / 1000;
  const status = faults.length === 0 ? 'passed' : 'failed';
  console.log(`${status === 'passed' ? '  ok ' : 'FAIL '} ${name} (${seconds.toFixed(1)} s)`);
  for (const fault of faults) console.log(`       ${fault}`);
  return { name, status, seconds };
}

async function command(name, args) {
  const { status, stdout, stderr } = await runProgram([binOf(name), ...args]);
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
