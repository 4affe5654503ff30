import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { freePort, startTestServer } from '../../../test/support/server.js';

const mainFile = path.resolve(import.meta.dirname, '../dist/main.js');

let postgres: TestPostgres;
let dataDir: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  dataDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-data-'));
  chmodSync(dataDir, 0o755);
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs a server that cannot start. */
function run(env: Record<string, string>) {
  const { status, stderr } = spawnSync(process.execPath, [mainFile], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stderr };
}

/** '' for a process that has ended, also while nobody has asked for its exit code. */
function commandLine(pid: number): string {
  return existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
}

describe('a server', () => {
  it('says in one line which variable is wrong, and ends with 2', () => {
    expect(run({ PORT: 'http' })).toEqual({ status: 2, stderr: 'hearth: PORT is not usable: must be a port, 1 to 65535\n' });
    expect(run({ HEARTH_ROLE: 'api' })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^hearth: DATABASE_URL is missing[^\n]*\n$/),
    });
  });

  it('says in one line that its port is in use, and ends with 1 before it starts a database', async () => {
    const port = await freePort();
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(port, '0.0.0.0', resolve);
    });
    const emptyDir = path.join(dataDir, 'never');
    expect(run({ PORT: String(port), HEARTH_DATA_DIR: emptyDir })).toEqual({
      status: 1,
      stderr: `hearth: port ${port} is in use: stop the program that holds it, or set PORT\n`,
    });
    expect(existsSync(emptyDir)).toBe(false);
    await new Promise((resolve) => {
      holder.close(resolve);
    });
  });

  it('says in one line that its database refuses it', async () => {
    const url = new URL(postgres.url);
    url.password = 'wrong';
    expect(run({ PORT: String(await freePort()), DATABASE_URL: url.href, LOG_LEVEL: 'silent' })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^hearth: the database cannot be used: [^\n]*password[^\n]*\n$/),
    });
  });

  it('starts with nothing but a folder, stops cleanly with its Postgres, and starts again with what it had', async () => {
    const first = await startTestServer({ dataDir });
    const postmasterFile = path.join(dataDir, 'postgres/data/postmaster.pid');
    const postmaster = Number(readFileSync(postmasterFile, 'utf8').split('\n')[0]);
    await fetch(`${first.url}/api/v1/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${first.key}`, 'content-type': 'application/json' },
      body: '{"name":"kept"}',
    });
    expect(await first.stop()).toBe(0);
    expect(existsSync(postmasterFile)).toBe(false);
    expect(commandLine(postmaster)).not.toContain(dataDir);
    const second = await startTestServer({ dataDir });
    const signedIn = await fetch(`${second.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: second.adminEmail, password: second.adminPassword }),
    });
    expect(JSON.stringify(await signedIn.json())).toContain('kept');
    expect(await second.stop()).toBe(0);
  });

  it('takes over the database of one that was killed', async () => {
    const first = await startTestServer({ dataDir });
    await first.kill();
    const second = await startTestServer({ dataDir });
    expect(await second.stop()).toBe(0);
  });

  it('makes up a password for the first user and prints it once', async () => {
    const url = await postgres.createDatabase();
    const first = await startTestServer({ role: 'api', databaseUrl: url, env: { HEARTH_ADMIN_PASSWORD: '' } });
    const password = /sign in as admin@localhost with the password (\S+)/.exec(first.logs())?.[1];
    const answer = await fetch(`${first.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@localhost', password }),
    });
    expect(answer.status).toBe(200);
    await first.stop();
    const second = await startTestServer({ role: 'api', databaseUrl: url, env: { HEARTH_ADMIN_PASSWORD: '' } });
    expect(second.logs()).not.toContain('with the password');
    await second.stop();
  });

  it('starts in three processes at once on one empty database', async () => {
    const url = await postgres.createDatabase();
    const servers = await Promise.all(
      (['api', 'worker', 'worker'] as const).map((role) => startTestServer({ role, databaseUrl: url })),
    );
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0, 0]);
  });
});
