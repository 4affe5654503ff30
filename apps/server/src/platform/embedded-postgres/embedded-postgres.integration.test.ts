import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, lstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../../../test/support/server.js';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from './index.js';

const programsCopyDir = path.join(tmpdir(), `hearth-test-postgres-programs-${process.getuid?.() ?? 0}`);
const built = path.resolve(import.meta.dirname, '../../../dist/platform/embedded-postgres/index.js');
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? '' : ' (skipped: only root can change who runs Postgres)';

let homeDir: string;
let running: EmbeddedPostgres[];
beforeEach(() => {
  homeDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-supervisor-'));
  chmodSync(homeDir, 0o755);
  running = [];
});
afterEach(async () => {
  for (const postgres of running) await postgres.stop();
  rmSync(homeDir, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.start({ homeDir, programsCopyDir, ...options });
  running.push(postgres);
  return postgres;
}

async function query(postgres: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
}

/** Starts a Postgres in another process that is then killed, and gives the pid of the Postgres it leaves behind. */
async function leaveOrphan(): Promise<number> {
  const script = `const { EmbeddedPostgres } = await import(${JSON.stringify(built)});
    const postgres = await EmbeddedPostgres.start(${JSON.stringify({ homeDir, programsCopyDir })});
    console.log(postgres.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (text: Buffer) => {
      resolve(Number(text.toString()));
    });
  });
  parent.kill('SIGKILL');
  await new Promise((resolve) => {
    parent.once('close', resolve);
  });
  return pid;
}

describe('EmbeddedPostgres', () => {
  it('keeps its data over a stop and a start, in the encoding and order that we promise, and leaves no process behind', async () => {
    const first = await start();
    await query(first, "CREATE TABLE kept AS SELECT 'ä' AS text");
    const [settings] = await query(
      first,
      "SELECT current_setting('server_encoding') AS encoding, datlocprovider AS provider FROM pg_database WHERE datname = 'hearth'",
    );
    expect(settings).toEqual({ encoding: 'UTF8', provider: 'b' });
    const pid = first.pid;
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(path.join(homeDir, 'data/postmaster.pid'))).toBe(false);
    expect(await query(await start(), 'SELECT text FROM kept')).toEqual([{ text: 'ä' }]);
  });

  it('stops what a killed parent left behind, and starts its own with the same data', async () => {
    const orphan = await leaveOrphan();
    expect(isAlive(orphan)).toBe(true);
    const postgres = await start();
    expect(isAlive(orphan)).toBe(false);
    expect(postgres.pid).not.toBe(orphan);
    expect(await query(postgres, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts a Postgres that died again, on the same port and with what was committed', async () => {
    const events: string[] = [];
    const postgres = await start({ onEvent: (message) => events.push(message) });
    await query(postgres, 'CREATE TABLE committed AS SELECT 7 AS n');
    const { pid, port } = postgres;
    process.kill(pid, 'SIGKILL');
    for (let tries = 0; tries < 200 && !events.includes('Postgres is back'); tries += 1) await sleep(50);
    expect(postgres.port).toBe(port);
    expect(postgres.pid).not.toBe(pid);
    expect(await query(postgres, 'SELECT n FROM committed')).toEqual([{ n: 7 }]);
  });

  it('says in one line that its port is in use', async () => {
    const port = await freePort();
    const holder = createServer().listen(port, '127.0.0.1');
    await expect(start({ port })).rejects.toThrow(new RegExp(`^Postgres cannot start: port ${port} is in use$`));
    await new Promise((resolve) => {
      holder.close(resolve);
    });
    await expect(start({ port })).resolves.toMatchObject({ port });
  });

  it('leaves a folder alone that another live process uses', async () => {
    const script = `const { EmbeddedPostgres } = await import(${JSON.stringify(built)});
      const postgres = await EmbeddedPostgres.start(${JSON.stringify({ homeDir, programsCopyDir })});
      process.once('SIGTERM', async () => { await postgres.stop(); process.exit(0); }); console.log(postgres.pid);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', `${script} setInterval(() => {}, 1000);`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      other.stdout.once('data', (text: Buffer) => {
        resolve(Number(text.toString()));
      });
    });
    await expect(start()).rejects.toThrow(new RegExp(`in use by another Hearth \\(process ${other.pid}\\)`));
    expect(isAlive(pid)).toBe(true);
    other.kill('SIGTERM');
    await new Promise((resolve) => {
      other.once('close', resolve);
    });
    expect(isAlive(pid)).toBe(false);
  });

  it('begins again after an initdb that was interrupted', async () => {
    const first = await start();
    await first.stop();
    rmSync(path.join(homeDir, 'data/PG_VERSION'));
    expect(await query(await start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.runIf(isRoot)(`restores the library links that an install without scripts lacks${asRoot}`, async () => {
    const ownCopy = path.join(homeDir, 'native');
    await (await start({ programsCopyDir: ownCopy })).stop();
    const links = readdirSync(path.join(ownCopy, 'lib'))
      .map((name) => path.join(ownCopy, 'lib', name))
      .filter((file) => lstatSync(file).isSymbolicLink());
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) rmSync(link);
    expect(await query(await start({ programsCopyDir: ownCopy }), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    for (const link of links) expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it.runIf(isRoot)(`says what to do when the folder is closed to the user that Postgres runs as${asRoot}`, async () => {
    chmodSync(homeDir, 0o700);
    await expect(start()).rejects.toThrow(/may not enter .*set HEARTH_DATA_DIR/);
  });

  it.runIf(isRoot)(`runs for an ordinary user as that user${asRoot}`, async () => {
    chmodSync(homeDir, 0o777);
    const home = path.join(homeDir, 'own');
    const script = `const { EmbeddedPostgres } = await import(${JSON.stringify(built)});
      const postgres = await EmbeddedPostgres.start({ homeDir: ${JSON.stringify(home)} });
      console.log(postgres.url()); await postgres.stop();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      env: { HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        output += text.toString();
      });
    await new Promise((resolve) => {
      child.once('close', resolve);
    });
    expect(output).toMatch(/^postgres:\/\/hearth:/);
  });
});
