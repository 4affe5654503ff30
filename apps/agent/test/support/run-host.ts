import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface HostResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
  readonly seconds: number;
}

export interface HostOptions {
  /** Node options in front of the program. */
  readonly nodeOptions?: readonly string[];
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** A program that runs Node, with its arguments, as `unshare --net`. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input stays open then. */
  readonly onStart?: (host: ChildProcess) => void;
  /** Called with each line of the host's standard output. */
  readonly onLine?: (line: string, host: ChildProcess) => void;
}

export const AGENT_DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
export const PRELOAD = ['--import', `${AGENT_DIST}preload.mjs`] as const;
export const REQUIRE_PRELOAD = ['--require', `${AGENT_DIST}preload.cjs`] as const;
/** Another version of Node may run the hosts: this is how the matrix of versions is tried. */
export const HOST_NODE = process.env['HEARTH_HOST_NODE'] ?? process.execPath;
const HOSTS = fileURLToPath(new URL('../hosts/', import.meta.url));
/** A host that has not ended by then holds something open. */
const LONGEST_MS = 60_000;

/** Runs one program of `test/hosts`, or one with an absolute path, in a process of its own, with an environment that holds nothing but what is given. */
export function runHost(name: string, hearthUrl: string, options: HostOptions = {}): Promise<HostResult> {
  const startedAt = performance.now();
  const node = [HOST_NODE, ...(options.nodeOptions ?? []), path.resolve(HOSTS, name), ...(options.args ?? [])];
  const [command = HOST_NODE, ...args] = [...(options.under ?? []), ...node];
  const host = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { PATH: process.env['PATH'], HEARTH_URL: hearthUrl, HEARTH_KEY: 'test-key', HEARTH_SERVICE: 'host', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  host.stdin.on('error', () => {}); // it has ended
  if (options.onStart === undefined) host.stdin.end();
  else options.onStart(host);
  let [output, errors, pending] = ['', '', ''];
  host.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const lines = (pending + text).split('\n');
    pending = lines.pop()!;
    for (const line of lines) options.onLine?.(line, host);
  });
  host.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const timer = setTimeout(() => host.kill('SIGKILL'), LONGEST_MS);
  return new Promise((resolve, reject) => {
    host.once('error', reject);
    host.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output, errors, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}
