import { createServer } from 'node:net';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';
import { SetupError } from '../setup/setup-error.mjs';

const DEFAULT_PORT = 4040;
/** How many ports after the usual one are tried. */
const PORTS_TRIED = 20;
/** A demo's database and logs, with room to spare. */
const DEMO_BYTES = 500e6;

/**
 * Takes the folders of the demo, and empties them: every demo begins with a fresh database. HEARTH_DEMO_NAME names
 * another folder than `demo`: tests leave somebody's demo alone.
 *
 * @returns {{ dir: string, dataDir: string, release: () => void }} `dir` for the shop and the logs, `dataDir` for Postgres.
 * @throws {SetupError} when another demo runs here, or the disk is full.
 */
export function takeDemoPlace() {
  // Inside the project, so that the shop finds what is installed there.
  const dir = path.join(root, '.hearth', process.env.HEARTH_DEMO_NAME ?? 'demo');
  const owner = path.join(dir, 'demo.json');
  const other = existsSync(owner) ? JSON.parse(readFileSync(owner, 'utf8')) : undefined;
  if (other !== undefined && other.pid !== process.pid && isRunning(other.pid)) {
    throw new SetupError(
      `A demo of this checkout runs already (process ${other.pid}, see its terminal for the address). Stop it with Ctrl-C there, then try again.`,
    );
  }
  const dataDir = path.join(dataParent(dir), 'data');
  rmSync(dir, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  const { bavail, bsize } = statfsSync(dataDir);
  if (bavail * bsize < DEMO_BYTES) {
    throw new SetupError(
      `Only ${((bavail * bsize) / 1e6).toFixed(0)} MB are free on the disk of ${dataDir}; the demo needs about ${DEMO_BYTES / 1e6} MB.`,
    );
  }
  writeFileSync(owner, JSON.stringify({ pid: process.pid, startedMs: Date.now() }));
  return { dir, dataDir, release: () => rmSync(owner, { force: true }) };
}

/** Started by root, Postgres runs as another user, who must be able to enter every folder above its data. */
function dataParent(dir) {
  if (process.getuid?.() !== 0 || isOpenToAll(root)) return dir;
  return path.join('/var/tmp/hearth-demo', dir.replaceAll(path.sep, '-').slice(1));
}

function isOpenToAll(folder) {
  const parent = path.dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isOpenToAll(parent));
}

/**
 * A port for the dashboard: the one asked for by PORT, or 4040, or the next free one after it.
 *
 * @throws {SetupError} when the port asked for is taken.
 */
export async function choosePort(asked = process.env.PORT) {
  if (asked) {
    if (await isFree(Number(asked))) return Number(asked);
    throw new SetupError(`Port ${asked} is in use. Set PORT to another one, or leave it out and a free one is chosen.`);
  }
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + PORTS_TRIED; port += 1) {
    if (!(await isFree(port))) continue;
    if (port !== DEFAULT_PORT) console.log(`Port ${DEFAULT_PORT} is in use, so this demo takes ${port}.`);
    return port;
  }
  throw new SetupError(`Ports ${DEFAULT_PORT} to ${DEFAULT_PORT + PORTS_TRIED - 1} are all in use. Set PORT to a free one.`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // All interfaces, as the server will: a port may be free on one only.
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
