/**
 * Packs the built agent into apps/agent/dist-pack/agent.tgz, the file that the server serves at /install/agent.tgz.
 * The package that leaves the workspace names neither our sources nor our other packages: they are bundled in it.
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

const agentDir = path.join(root, 'apps/agent');
const outDir = path.join(agentDir, 'dist-pack');

mkdirSync(outDir, { recursive: true });
const staging = mkdtempSync(path.join(outDir, 'staging-'));
try {
  cpSync(path.join(agentDir, 'dist'), path.join(staging, 'dist'), { recursive: true });
  for (const file of ['README.md', 'LICENSE']) {
    if (existsSync(path.join(agentDir, file))) copyFileSync(path.join(agentDir, file), path.join(staging, file));
  }
  const manifest = JSON.parse(readFileSync(path.join(agentDir, 'package.json'), 'utf8'));
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
  renameSync(path.join(staging, packed), path.join(outDir, 'agent.tgz'));
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function publicManifest({ private: _private, devDependencies: _dev, scripts: _scripts, exports, ...manifest }) {
  const entries = Object.entries(exports).map(([name, { 'hearth-source': _source, ...conditions }]) => [name, conditions]);
  return { ...manifest, exports: Object.fromEntries(entries), files: ['dist', 'README.md', 'LICENSE'] };
}
