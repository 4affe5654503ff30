import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/server.js';
import { until } from '../support/until.js';

const root = path.resolve(import.meta.dirname, '../..');
const hasProc = existsSync('/proc/self/environ');

interface RunningDemo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | NodeJS.Signals | null>;
}
let demo: RunningDemo | undefined;
afterEach(async () => {
  if (demo?.child.exitCode === null && demo.child.signalCode === null) demo.child.kill('SIGTERM');
  await demo?.ended;
  demo = undefined;
});

function startDemo(env: Record<string, string>): RunningDemo {
  const child = spawn(process.execPath, ['scripts/demo.mjs'], {
    cwd: root,
    env: { ...process.env, HEARTH_DEMO_NAME: 'demo-under-test', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  return (demo = { child, output: () => text, ended });
}

/** Waits for a line of the demo that matches. */
function line({ output, child }: RunningDemo, pattern: RegExp): Promise<RegExpMatchArray> {
  return until(async () => {
    const match = output().match(pattern);
    if (match === null && child.exitCode !== null) throw new Error(`the demo ended: ${output()}`);
    return match ?? undefined;
  }, 90_000);
}

/** Processes that have to do with this port: every process of the demo has it in its environment or its arguments. */
function processesOf(port: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || Number(pid) === demo?.child.pid) return false;
    try {
      return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`.includes(
        String(port),
      );
    } catch {
      return false; // gone meanwhile
    }
  });
}

describe.skipIf(!hasProc)(
  `npm run demo${hasProc ? '' : ' (processes are counted through /proc, which this system has not)'}`,
  () => {
    it.each(['SIGINT', 'SIGKILL'] as const)(
      'leaves no process behind after %s, and can be run again at once',
      async (signal) => {
        const port = await freePort();
        const first = startDemo({ PORT: String(port) });
        const [, url] = await line(first, /Dashboard: (\S+)/);
        await line(first, /16 of 16/);
        expect((await fetch(`${url}/readyz`)).status).toBe(200);
        expect(processesOf(port).length).toBeGreaterThanOrEqual(17);

        first.child.kill(signal);
        expect(await first.ended).toBe(signal === 'SIGINT' ? 0 : 'SIGKILL');
        // Killed, it could not wait for its processes: they notice and end by themselves.
        await until(async () => (processesOf(port).length === 0 ? true : undefined), 30_000);
        await expect(fetch(`${url}/readyz`)).rejects.toThrow('fetch failed');

        const second = startDemo({ PORT: String(port) });
        await line(second, /Dashboard: (\S+)/);
      },
      240_000,
    );

    it('says in one line that the port asked for is busy', async () => {
      const port = await freePort();
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(port, resolve));
      const refused = startDemo({ PORT: String(port) });
      expect(await refused.ended).toBe(1);
      expect(refused.output().trim().split('\n').at(-1)).toMatch(new RegExp(`^Port ${port} is in use`));
      await new Promise((resolve) => other.close(resolve));
    }, 60_000);

    it('does not take the place of a demo that runs', async () => {
      const port = await freePort();
      const first = startDemo({ PORT: String(port) });
      await line(first, /Dashboard: (\S+)/);
      const second = startDemo({ PORT: String(await freePort()) });
      expect(await second.ended).toBe(1);
      expect(second.output()).toMatch(/A demo of this checkout runs already \(process \d+/);
      demo = first;
    }, 120_000);
  },
);
