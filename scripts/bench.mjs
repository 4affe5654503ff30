/** npm run bench -- <name> [--json]: runs bench/src/<name>.ts; without a name, lists what there is. docs/benchmarks.md */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { root } from './root.mjs';
import { ensureReady } from './setup.mjs';

const folder = path.join(root, 'bench/src');
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => /^[a-z-]+\.ts$/.test(file))
      .map((file) => file.slice(0, -3))
  : [];
const [name, ...options] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`${name === undefined ? 'Which one?' : `There is no benchmark "${name}".`} There are: ${names.join(', ')}`);
  process.exit(2);
}
await ensureReady();
const child = spawn(
  process.execPath,
  ['--import', './scripts/typescript/register.mjs', path.join('bench/src', `${name}.ts`), ...options],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});
