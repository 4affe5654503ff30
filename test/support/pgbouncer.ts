import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { userForPostgres } from '../../apps/server/src/platform/embedded-postgres/postgres-files.js';
import type { TestPostgres } from './postgres.js';
import { freePort } from './server.js';
import { until } from './until.js';

export interface TestPgBouncer {
  /** The same database, through the pooler. */
  pooled(url: string): string;
  stop(): Promise<void>;
}

/** Why there is no PgBouncer for tests here; `undefined`: there is one. Tests that need it are skipped with this reason in their name. */
export function whyNoPgBouncer(): string | undefined {
  return program() === undefined ? 'no pgbouncer on the PATH or in /usr/sbin' : undefined;
}

/** A PgBouncer in transaction mode before a test's Postgres. @param serverConnections For each database. */
export async function startPgBouncer(postgres: TestPostgres, serverConnections: number): Promise<TestPgBouncer> {
  const homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-pgbouncer-'));
  chmodSync(homeDir, 0o755); // it refuses to run as root, too
  const port = await freePort();
  const { username, password } = new URL(postgres.url);
  writeFileSync(path.join(homeDir, 'users.txt'), `"${username}" "${password}"\n`);
  const configuration = `
    [databases]
    * = host=127.0.0.1 port=${postgres.port}
    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = ${port}
    unix_socket_dir =
    auth_type = scram-sha-256
    auth_file = ${path.join(homeDir, 'users.txt')}
    pool_mode = transaction
    default_pool_size = ${serverConnections}
    max_client_conn = 500
  `;
  writeFileSync(path.join(homeDir, 'pgbouncer.ini'), configuration.replaceAll(/^ +/gm, ''));
  const pooler = spawn(program()!, ['--quiet', path.join(homeDir, 'pgbouncer.ini')], {
    ...userForPostgres(),
    cwd: homeDir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  pooler.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise((resolve) => pooler.once('close', resolve));
  const pooled = (url: string) => Object.assign(new URL(url), { port: String(port) }).href;
  await until(async () => {
    const client = new pg.Client({ connectionString: pooled(postgres.url) });
    await client.connect();
    await client.end();
    return true;
  }, 10_000).catch((error: unknown) => {
    throw new Error(`PgBouncer does not answer: ${log}`, { cause: error });
  });
  return {
    pooled,
    async stop() {
      pooler.kill('SIGTERM');
      await ended;
      rmSync(homeDir, { recursive: true, force: true });
    },
  };
}

/** Debian keeps it where only root looks. */
function program(): string | undefined {
  return ['pgbouncer', '/usr/sbin/pgbouncer'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}
