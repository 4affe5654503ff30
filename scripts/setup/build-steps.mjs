import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';
import { npmCommand, runStep } from './run-command.mjs';

const STAMPS = path.join(root, '.cache/build');

/** In the order they are built. `from`: files and folders whose change makes the step stale; `to`: what must be there afterwards. */
export const BUILD_STEPS = [
  {
    name: 'server',
    title: 'Compiling libraries and server',
    from: ['tsconfig.base.json', 'libs', 'apps/server/src', 'apps/server/tsconfig.json'],
    to: ['apps/server/dist/main.js'],
    // With its outputs deleted by hand, the compiler would believe its own notes and emit nothing.
    commands: (missing) => [
      [process.execPath, 'node_modules/typescript/bin/tsc', '-b', 'apps/server', ...(missing ? ['--force'] : [])],
    ],
  },
  {
    name: 'agent',
    title: 'Building and packing the agent',
    from: ['tsconfig.base.json', 'libs/profile-model', 'libs/wire-format', 'apps/agent', 'scripts/pack-app.mjs'],
    to: ['apps/agent/dist/index.mjs', 'apps/agent/dist/index.cjs', 'apps/agent/dist-pack/agent.tgz'],
    commands: () => [npmCommand('run', 'build', '-w', '@hearth/agent'), [process.execPath, 'scripts/pack-app.mjs', 'agent']],
  },
  {
    name: 'cli',
    title: 'Building and packing the command line',
    from: ['tsconfig.base.json', 'libs/query-contract', 'apps/agent/src', 'apps/cli', 'scripts/pack-app.mjs'],
    to: ['apps/cli/dist/main.mjs', 'apps/cli/dist-pack/cli.tgz'],
    commands: () => [npmCommand('run', 'build', '-w', '@hearth/cli'), [process.execPath, 'scripts/pack-app.mjs', 'cli']],
  },
  {
    name: 'dashboard',
    title: 'Building the dashboard',
    from: ['tsconfig.base.json', 'libs/profile-model', 'libs/profile-diff', 'libs/query-contract', 'apps/dashboard'],
    to: ['apps/dashboard/dist/index.html'],
    commands: () => [npmCommand('run', 'build', '-w', '@hearth/dashboard')],
  },
];

/** Never an input: what is built, what is installed, what is only tested. */
const NOT_AN_INPUT = /(^|\/)(node_modules|dist|dist-pack|\.types|testdata)$|\.test\.tsx?$|\.tsbuildinfo$/;

/** Builds what is missing or older than its sources. */
export async function buildIfStale({ steps = BUILD_STEPS, force = false } = {}) {
  for (const { name, title, from, to, commands } of steps) {
    const stampFile = path.join(STAMPS, name);
    const missing = to.some((file) => !existsSync(path.join(root, file)));
    const stamp = stampOf(['package-lock.json', ...from]);
    if (!force && !missing && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) continue;
    await runStep(title, commands(missing || force));
    mkdirSync(STAMPS, { recursive: true });
    writeFileSync(stampFile, stamp);
  }
}

/** Changes with any name, size or time of change below `inputs`: hashing the contents would take longer than it is worth. */
function stampOf(inputs) {
  const hash = createHash('sha256');
  const add = (file) => {
    if (NOT_AN_INPUT.test(file)) return;
    const stat = statSync(path.join(root, file), { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const name of readdirSync(path.join(root, file)).sort()) add(`${file}/${name}`);
    } else if (stat !== undefined) {
      hash.update(`${file} ${stat.size} ${stat.mtimeMs}\n`);
    }
  };
  inputs.forEach(add);
  return hash.digest('hex');
}
