import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareForInitdb, type RunAs } from './postgres-files.js';
import { PostgresStartError } from './postgres-start-error.js';

export const POSTGRES_USER = 'hearth';
/** Recovery after a crash replays the log first; longer than that and something is wrong. */
const START_TIMEOUT_MS = 60_000;
/** How long a stop may write its checkpoint before we give up on it (SIGQUIT: recovery at the next start). */
const STOP_TIMEOUT_MS = 10_000;
const LOG_LINES_KEPT = 20;

/** Makes the data folder if there is none (about 0.7 s). @throws {PostgresStartError} */
export async function initialiseDataDir(programsDir: string, homeDir: string, password: string, runAs: RunAs): Promise<string> {
  const dataDir = path.join(homeDir, 'data');
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) return dataDir;
  const passwordFile = prepareForInitdb(homeDir, dataDir, password, runAs);
  const initdb = spawn(
    path.join(programsDir, 'bin/initdb'),
    [
      '--pgdata',
      dataDir,
      '--username',
      POSTGRES_USER,
      '--pwfile',
      passwordFile,
      '--auth',
      'scram-sha-256',
      '--encoding',
      'UTF8',
      '--locale-provider',
      'builtin',
      '--locale',
      'C.UTF-8',
    ],
    { ...runAs, cwd: homeDir, detached: true, stdio: ['ignore', 'ignore', 'pipe'] }, // detached: Ctrl-C must not cut it short
  );
  let output = '';
  initdb.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const status = await new Promise<number | null>((resolve) => {
    initdb.once('error', (error) => {
      output += String(error);
      resolve(null);
    });
    initdb.once('close', resolve);
  });
  rmSync(passwordFile, { force: true });
  if (status !== 0) throw new PostgresStartError(`initdb failed: ${faultIn(output)}`);
  return dataDir;
}

/** A running postmaster of ours. */
export interface PostgresProcess {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Its last log lines. */
  log(): string;
}

/** Starts the postmaster and waits until it takes connections. @throws {PostgresStartError} with its own last log lines */
export async function spawnPostgres(
  programsDir: string,
  dataDir: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  runAs: RunAs,
): Promise<PostgresProcess> {
  const options = Object.entries({ listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings });
  const server = spawn(
    path.join(programsDir, 'bin/postgres'),
    ['-D', dataDir, '-p', String(port), ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...runAs,
      cwd: dataDir, // our own folder may be closed to that user
      detached: true, // Ctrl-C goes to the whole group, and Postgres must outlive the application
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const log: string[] = [];
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    log.push(...text.split('\n').filter((line) => line !== ''));
    log.splice(0, log.length - LOG_LINES_KEPT);
  });
  // The pipe alone must not keep a process alive that is done.
  if (server.stderr instanceof Socket) server.stderr.unref();
  server.once('error', (error) => log.push(String(error))); // a program that cannot be run
  const ended = new Promise<void>((resolve) => {
    server.once('close', () => {
      resolve();
    });
    server.once('error', () => {
      resolve();
    });
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (
    let state = serverState(dataDir);
    !(state?.pid === server.pid && state?.status === 'ready');
    state = serverState(dataDir)
  ) {
    if (hasEnded(server) || Date.now() > deadline) {
      if (!hasEnded(server)) server.kill('SIGQUIT');
      await Promise.race([ended, sleep(1000)]); // its last words
      throw new PostgresStartError(startFault(log.join('\n'), port));
    }
    await sleep(20);
  }
  server.unref();
  return { pid: server.pid!, ended, log: () => log.join('\n') };
}

/** Stops a postmaster and waits for its end. Closes every client: the application has closed its pools before. */
export async function stopPostgres(pid: number): Promise<void> {
  // Not SIGTERM: that waits for clients to leave by themselves.
  for (const [signal, waitMs] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 2_000],
  ] as const) {
    if (!signalProcess(pid, signal)) return;
    for (const until = Date.now() + waitMs; Date.now() < until;) {
      if (!isRunning(pid)) return;
      await sleep(10);
    }
  }
}

/** Stops what a killed parent left running on this data folder: it holds the folder and its port. */
export async function stopOrphan(dataDir: string): Promise<void> {
  const pid = serverState(dataDir)?.pid;
  if (pid === undefined) return;
  // The pid may be somebody else's by now. Postgres itself clears a stale file.
  if (!commandLineOf(pid).includes(dataDir)) return;
  await stopPostgres(pid);
}

/** Lines 1, 4 and 8 of postmaster.pid; the status words are never translated. */
function serverState(dataDir: string): { pid: number; port: number; status: string } | undefined {
  try {
    const lines = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? '').trim() };
  } catch {
    return undefined;
  }
}

/** Line 4 of postmaster.pid. @returns `undefined`: none takes connections on this folder. */
export function serverPort(dataDir: string): number | undefined {
  const state = serverState(dataDir);
  return state?.status === 'ready' && commandLineOf(state.pid).includes(dataDir) ? state.port : undefined;
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // No /proc (macOS): ask ps.
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
}

function hasEnded(server: ChildProcess): boolean {
  return server.pid === undefined || server.exitCode !== null || server.signalCode !== null;
}

function isRunning(pid: number): boolean {
  if (!signalProcess(pid, 0)) return false;
  // A zombie still takes signals; its command line is empty.
  return process.platform !== 'linux' || commandLineOf(pid) !== '';
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function startFault(log: string, port: number): string {
  if (/Address already in use/.test(log)) return `Postgres cannot start: port ${port} is in use`;
  return `Postgres did not start: ${faultIn(log)}`;
}

/** The lines that say what is wrong, as one line; without such a line the last one. */
function faultIn(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.some((line) => line.includes('No space left on device'))) return 'no space left on the disk of HEARTH_DATA_DIR';
  const faults = lines.filter((line) => /\b(FATAL|PANIC|ERROR|error):/.test(line));
  return (faults.length > 0 ? faults : lines.slice(-1)).join('; ').slice(0, 500) || 'no message';
}
