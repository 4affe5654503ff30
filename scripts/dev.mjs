/**
 * npm run dev: compiles on every change, restarts the server, and serves the dashboard with reloading.
 * The server is on port 4040 (PORT), the dashboard where vite says; data lie in .hearth/dev.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './root.mjs';
import { ensureReady } from './setup.mjs';

await ensureReady();
const compiled = [
  'libs/profile-model',
  'libs/wire-format',
  'libs/profile-formats',
  'libs/profile-diff',
  'libs/query-contract',
  'apps/server',
].map((folder) => `${folder}/dist`);
const programs = [
  { name: 'tsc', cwd: root, args: ['node_modules/typescript/bin/tsc', '-b', 'apps/server', '--watch', '--preserveWatchOutput'] },
  {
    name: 'server',
    cwd: root,
    args: [...compiled.map((folder) => `--watch-path=${folder}`), '--watch-preserve-output', 'apps/server/dist/main.js'],
  },
  { name: 'dashboard', cwd: path.join(root, 'apps/dashboard'), args: [path.join(root, 'node_modules/vite/bin/vite.js')] },
];
const env = {
  ...process.env,
  HEARTH_DATA_DIR: process.env.HEARTH_DATA_DIR ?? path.join(root, '.hearth/dev'),
  HEARTH_ADMIN_PASSWORD: process.env.HEARTH_ADMIN_PASSWORD ?? 'development',
};
console.log(
  `Sign in as admin@localhost with ${process.env.HEARTH_ADMIN_PASSWORD ?? 'development'} (unless the data folder is older).`,
);

let stopping = false;
const children = programs.map(({ name, cwd, args }) => {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  child.once('exit', (code, signal) => {
    if (!stopping) console.error(`${name} ended (${signal ?? code})`);
    stop();
  });
  return child;
});
function stop() {
  if (stopping) return;
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
