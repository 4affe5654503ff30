import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './server.js';

export interface TestRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** Why there is no Redis for tests here; `undefined`: there is one. Tests that need it are skipped with this reason in their name. */
export function whyNoRedis(): string | undefined {
  if (process.env['REDIS_URL'] || redisProgram() !== undefined) return undefined;
  return 'no REDIS_URL, and neither redis-server nor valkey-server on the PATH';
}

/** REDIS_URL, or else a server of our own on a free port, in memory only. */
export async function startTestRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL'];
  if (given) return { url: given, stop: async () => {} };
  const port = await freePort();
  const server = spawn(redisProgram()!, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => {
    server.once('close', () => {
      resolve();
    });
  });
  for (const untilMs = Date.now() + 10_000; !(await answers(port)); await sleep(20)) {
    if (server.exitCode !== null || Date.now() > untilMs) throw new Error(`${redisProgram()} did not start on port ${port}`);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
    },
  };
}

/** The name of a Redis server on the PATH. */
export function redisProgram(): string | undefined {
  return ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** Whether anybody listens there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => {
        resolve(false);
      });
  });
}
