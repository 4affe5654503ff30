import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers } from './redis.js';
import { freePort } from './server.js';

/** Programs of Debian's `mariadb-server`. */
const PROGRAMS = { install: 'mariadb-install-db', server: 'mariadbd' } as const;

export interface TestMariadb {
  /** Of its own tables: a user who may do everything, and no password. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Why there is no MariaDB for tests here; `undefined`: there is one. */
export function whyNoMariadb(): string | undefined {
  const missing = Object.values(PROGRAMS).filter((name) => spawnSync(name, ['--help'], { stdio: 'ignore' }).error !== undefined);
  return missing.length === 0 ? undefined : `no ${missing.join(' and no ')} on the PATH`;
}

/** A server of its own on a free port, whose data is deleted with it. About two seconds. */
export async function startTestMariadb(): Promise<TestMariadb> {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-mariadb-'));
  const dataDir = path.join(homeDir, 'data');
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
  const installed = spawnSync(
    PROGRAMS.install,
    ['--no-defaults', `--datadir=${dataDir}`, '--skip-test-db', '--auth-root-authentication-method=normal', ...asUser],
    { encoding: 'utf8' },
  );
  if (installed.status !== 0) throw new Error(`mariadb-install-db failed: ${installed.stderr}`);
  const port = await freePort();
  const place = [
    `--datadir=${dataDir}`,
    `--socket=${path.join(homeDir, 'socket')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
  ];
  const sizes = ['--innodb-buffer-pool-size=32M', '--innodb-flush-log-at-trx-commit=0', '--performance-schema=off'];
  const server = spawn(PROGRAMS.server, ['--no-defaults', ...place, ...sizes, ...asUser], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    server.once('close', () => {
      resolve();
    });
  });
  for (const untilMs = Date.now() + 30_000; !(await answers(port)); await sleep(50)) {
    if (server.exitCode !== null || Date.now() > untilMs) throw new Error(`mariadbd did not start on port ${port}`);
  }
  return {
    url: `mysql://root@127.0.0.1:${port}/mysql`,
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}
