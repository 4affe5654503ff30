import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { root } from '../root.mjs';
import { npmCommand, runStep } from './run-command.mjs';
import { SetupError } from './setup-error.mjs';

const LOCK = path.join(root, 'package-lock.json');
/** Written by npm itself: what it has put into node_modules. */
const INSTALLED = path.join(root, 'node_modules/.package-lock.json');
/** Ours: which lock file the folder was found to agree with. Deleted together with node_modules. */
const STAMP = path.join(root, 'node_modules/.hearth-install.json');
/** What `npm ci` needs with its cache, roughly. */
const INSTALL_BYTES = 2e9;

/** Runs `npm ci` when node_modules is missing or does not hold what package-lock.json asks for. */
export async function installIfStale() {
  const lockText = readFileSync(LOCK, 'utf8');
  const stamp = JSON.stringify({
    lock: createHash('sha256').update(lockText).digest('hex'),
    platform: process.platform,
    arch: process.arch,
  });
  if (existsSync(STAMP) && existsSync(INSTALLED) && readFileSync(STAMP, 'utf8') === stamp) return;
  const lock = JSON.parse(lockText);
  // Somebody may have installed by hand: what counts is what is there.
  const fault = existsSync(INSTALLED)
    ? firstDifference(lock, JSON.parse(readFileSync(INSTALLED, 'utf8')))
    : 'nothing is installed yet';
  if (fault !== undefined) {
    assertFreeSpace();
    const packages = Object.keys(lock.packages).filter((key) => key.includes('node_modules/')).length;
    console.log(`Setting up: dependencies (${fault})`);
    await install(packages);
  }
  writeFileSync(STAMP, stamp);
}

/** Installs exactly what the lock file says. */
async function install(packages) {
  try {
    await runStep(`Installing up to ${packages} packages (npm ci)`, [npmCommand('ci', '--no-audit', '--no-fund')]);
  } catch (error) {
    // Registries that mirror others may lack packages for other machines. A lock file made with one leaves them out, and
    // `npm ci` then refuses it as incomplete, although nothing for this machine is missing.
    if (error.code !== 'EUSAGE') throw error;
    await runStep('npm ci finds the lock file incomplete; installing what it holds (npm install)', [
      npmCommand('install', '--no-save', '--no-audit', '--no-fund'),
    ]);
  }
}

/**
 * Compares the lock file with what npm says it has installed.
 *
 * @returns {string | undefined} The first difference in words; `undefined` if there is none.
 */
export function firstDifference(lock, installed) {
  for (const [key, wanted] of Object.entries(lock.packages)) {
    if (!key.includes('node_modules/')) continue; // the root and the workspaces themselves
    const found = installed.packages[key];
    if (found === undefined) {
      if (wanted.optional || wanted.devOptional || wanted.peer) continue; // for another platform
      return `${nameOf(key)} is missing`;
    }
    if (wanted.link) continue;
    if (found.version !== wanted.version || (wanted.integrity && found.integrity !== wanted.integrity)) {
      return `${nameOf(key)} is ${found.version}, wanted ${wanted.version}`;
    }
  }
  return undefined;
}

function nameOf(key) {
  return key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function assertFreeSpace() {
  const { bavail, bsize } = statfsSync(root);
  const freeBytes = bavail * bsize;
  if (freeBytes < INSTALL_BYTES) {
    throw new SetupError(
      `Only ${(freeBytes / 1e9).toFixed(1)} GB are free on the disk of ${root}; installing needs about ${INSTALL_BYTES / 1e9} GB.`,
    );
  }
}
