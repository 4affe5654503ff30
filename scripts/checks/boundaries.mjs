import { runProgram } from './run-program.mjs';
import { listFiles } from './source-files.mjs';

const FOLDERS = ['libs', 'apps'];

/** The rules of .dependency-cruiser.cjs hold, and no source file was silently skipped. */
export async function checkBoundaries() {
  const { stdout, stderr } = await runProgram([
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ...FOLDERS,
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
  ]);
  if (!stdout.startsWith('{')) return [`dependency-cruiser: ${stderr || stdout}`.slice(0, 2000)];
  const { modules, summary } = JSON.parse(stdout);
  const faults = summary.violations
    .filter(({ rule }) => rule.severity === 'error')
    .map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  const cruised = new Set(modules.map(({ source }) => source));
  for (const file of listFiles(FOLDERS, ['.ts', '.tsx'])) {
    if (!cruised.has(file) && !/\.d\.ts$|host-programs/.test(file)) faults.push(`not cruised: ${file}`);
  }
  return faults;
}
