import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

const END_WITH_PARENT = new URL('./end-with-parent.mjs', import.meta.url);
const STOP_PATIENCE_MS = 15_000;

/** The demo's processes. Each writes to a log file of its own name and ends when we do, even when we are killed. */
export class Children {
  #logDir;
  #running = new Set();
  #stopping = false;
  #onLost;

  /** @param {string} logDir @param {(name: string, fault: string) => void} onLost - Told of a process that ended by itself. */
  constructor(logDir, onLost) {
    this.#logDir = logDir;
    this.#onLost = onLost;
    mkdirSync(logDir, { recursive: true });
  }

  /**
   * Starts a Node program with a message channel. It sees the variables that any program needs, and `env`: no
   * revision that a CI has set, no address of another Hearth.
   *
   * @param {{ name: string, module: string, cwd: string, env?: Record<string, string>, imports?: string[] }} program
   */
  start({ name, module, cwd, env = {}, imports = [] }) {
    const log = openSync(this.#logFile(name), 'a');
    const child = fork(module, [], {
      cwd,
      env: { ...variablesOfAll(), ...env },
      execArgv: [END_WITH_PARENT.href, ...imports].flatMap((preload) => ['--import', preload]),
      // Out of the terminal's group: Ctrl-C reaches us alone, and we stop them in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#running.add(child);
    child.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running.delete(child);
        resolve();
        if (!this.#stopping && !child.expectedToEnd)
          this.#onLost(name, `ended with ${signal ?? `exit code ${code}`}: ${this.lastLines(name, 5)}`);
      });
      child.once('error', (error) => this.#onLost(name, String(error)));
    });
    return child;
  }

  /** The end of what a process has printed. */
  lastLines(name, count) {
    const text = readFileSync(this.#logFile(name), 'utf8').trimEnd();
    return text.split('\n').slice(-count).join('\n') || `nothing in ${this.#logFile(name)}`;
  }

  /** Ends some of them and waits; whoever does not end in time is killed. */
  async stop(children) {
    await Promise.all(
      children.map(async (child) => {
        child.expectedToEnd = true;
        if (!this.#running.has(child)) return;
        child.kill('SIGTERM');
        const kill = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
        await child.ended;
        clearTimeout(kill);
      }),
    );
  }

  /** Nobody is missed from here on. */
  expectEnd() {
    this.#stopping = true;
  }

  #logFile(name) {
    return path.join(this.#logDir, `${name}.log`);
  }
}

function variablesOfAll() {
  const names = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR', 'TEMP', 'SystemRoot'];
  return Object.fromEntries(names.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]));
}

/** One message of a kind from a child. @throws when it ends before, or does not answer in time. */
export function messageOf(child, key, { request, withinMs = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const done = (settle, value) => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle(value);
    };
    const onMessage = (message) => message?.[key] !== undefined && done(resolve, message);
    const onExit = () => done(reject, new Error(`ended before it sent "${key}"`));
    const timer = setTimeout(() => done(reject, new Error(`sent no "${key}" within ${withinMs / 1000} s`)), withinMs);
    child.on('message', onMessage);
    child.on('exit', onExit);
    if (request !== undefined) child.send(request);
  });
}
