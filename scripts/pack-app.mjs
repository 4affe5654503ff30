/**
 * `node scripts/pack-app.mjs agent` (or cli) packs the built app into apps/agent/dist-pack/agent.tgz, the file that the server serves at
 * /install/agent.tgz. The package that leaves the workspace names neither our sources nor our other packages: they are bundled in it.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './root.mjs';
import { npmCommand } from './setup/run-command.mjs';

const [app] = process.argv.slice(2);
if (!['agent', 'cli'].includes(app)) throw new Error(`pack which app? agent or cli, not ${app}`);
const appDir = path.join(root, 'apps', app);
const outDir = path.join(appDir, 'dist-pack');

mkdirSync(outDir, { recursive: true });
const staging = mkdtempSync(path.join(outDir, 'staging-'));
try {
  cpSync(path.join(appDir, 'dist'), path.join(staging, 'dist'), { recursive: true });
  for (const file of ['README.md', 'LICENSE']) {
    if (existsSync(path.join(appDir, file))) copyFileSync(path.join(appDir, file), path.join(staging, file));
  }
  const manifest = JSON.parse(readFileSync(path.join(appDir, 'package.json'), 'utf8'));
  writeFileSync(path.join(staging, 'package.json'), `${JSON.stringify(publicManifest(manifest), null, 2)}\n`);
  const [program, ...args] = npmCommand('pack', '--silent', '--ignore-scripts', '--pack-destination', staging);
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: staging,
    encoding: 'utf8',
    shell: program.endsWith('.cmd'),
  });
  if (status !== 0) throw new Error(`npm pack failed: ${error ?? stderr}`);
  const packed = stdout.trim().split('\n').pop();
  // Renamed in one step: a server that serves it meanwhile never sends half a file.
  renameSync(path.join(staging, packed), path.join(outDir, `${app}.tgz`));
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function publicManifest({ private: _private, devDependencies: _dev, scripts: _scripts, exports, ...manifest }) {
  if (exports === undefined) return { ...manifest, files: ['dist', 'README.md', 'LICENSE'] };
  const entries = Object.entries(exports).map(([name, { 'hearth-source': _source, ...conditions }]) => [name, conditions]);
  return { ...manifest, exports: Object.fromEntries(entries), files: ['dist', 'README.md', 'LICENSE'] };
}
