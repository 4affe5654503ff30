import { spawn } from 'node:child_process';
import { chmodSync, createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { FlameGraphAnswer, TransactionsAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { startRecordingProxy } from './support/recording-proxy.js';
import { freePort, startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const mainFile = path.resolve(import.meta.dirname, '../apps/server/dist/main.js');
const program = path.resolve(import.meta.dirname, 'host-programs/steady-work.mjs');

let folder: string;
let postgres: TestPostgres;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-test-backup-'));
  chmodSync(folder, 0o755); // when root runs the tests, Postgres runs as nobody
  postgres = await startTestPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a command of the server's program. `ended` gives its exit code and what it said. */
function command(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, said });
    });
  });
  return { child, ended, said: () => said };
}
const run = (args: readonly string[], env: Record<string, string>) => {
  const { child, ended } = command(args, env);
  child.stdin.end();
  child.stdout.resume();
  return ended;
};

/** What batches say, summed by us. */
function sumsOf(batches: readonly Batch[]) {
  let [cpu, ticks] = [0, 0];
  for (const batch of batches) {
    for (const { typeId, sampleValue } of batch.profiles)
      if (typeId === PROFILE_TYPE_IDS.cpu) cpu += sampleValue.reduce((sum, value) => sum + value, 0);
    ticks += batch.transactions.reduce((sum, { count }) => sum + count, 0);
  }
  return { cpu, ticks };
}

async function sumsIn(server: TestServer, fromMs: number) {
  const range = `service=steady&from=${fromMs}&until=${Date.now() + 60_000}`;
  const flame = await askJson<FlameGraphAnswer>(server, `/api/v1/flame-graph?${range}`);
  const { transactions } = await askJson<TransactionsAnswer>(server, `/api/v1/transactions?${range}`);
  return { cpu: flame.sum, ticks: transactions.reduce((sum, { count }) => sum + count, 0) };
}

describe('a backup of an embedded Postgres that is written to', () => {
  it('becomes the same Hearth on an empty machine, to which the same agent goes on sending', async () => {
    const fromMs = Date.now() - 60_000;
    const [dataDir, otherDir] = [path.join(folder, 'first'), path.join(folder, 'second')];
    const file = path.join(folder, 'live.backup');
    const port = await freePort();
    let server = await startTestServer({ dataDir, port });
    const proxy = await startRecordingProxy(server.url);
    const agent = spawn(process.execPath, [program], {
      cwd: path.dirname(program),
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...process.env, HEARTH_URL: proxy.url, HEARTH_KEY: server.key, HEARTH_SERVICE: 'steady', HEARTH_REVISION: 'r1' },
    });
    const agentEnded = new Promise((resolve) => {
      agent.once('close', resolve);
    });
    const untilAcknowledged = (count: number) => until(async () => proxy.acknowledged.length >= count || undefined);
    try {
      await untilAcknowledged(5);
      const before = sumsOf(proxy.acknowledged);
      const backup = await run(['backup', file], { HEARTH_DATA_DIR: dataDir });
      expect(backup).toMatchObject({
        code: 0,
        said: expect.stringMatching(/^backup: \d+ rows of \d+ tables, [\d.]+ MiB, schema \w+, in [\d.]+ s$/m),
      });
      const after = sumsOf(proxy.acknowledged);
      await untilAcknowledged(proxy.acknowledged.length + 3); // these will be lost: the backup is older
      expect(await run(['restore', file, '--replace'], { HEARTH_DATA_DIR: dataDir })).toMatchObject({
        code: 1,
        said: expect.stringContaining('hearth: RESTORE_BESIDE_SERVERS: '),
      });
      expect(await server.stop()).toBe(0);
      const acknowledgedBefore = proxy.acknowledged.length;

      expect(await run(['restore', file], { HEARTH_DATA_DIR: otherDir })).toMatchObject({
        code: 0,
        said: expect.stringContaining('checked, in'),
      });
      // Asked where the agent does not find it.
      server = await startTestServer({ dataDir: otherDir });
      const restored = await sumsIn(server, fromMs);
      await server.stop();
      for (const sum of ['cpu', 'ticks'] as const) {
        expect(restored[sum]).toBeGreaterThanOrEqual(before[sum]);
        expect(restored[sum]).toBeLessThanOrEqual(after[sum]);
      }

      server = await startTestServer({ dataDir: otherDir, port });
      await untilAcknowledged(acknowledgedBefore + 3);
      agent.stdin.end();
      await agentEnded;
      const since = sumsOf(proxy.acknowledged.slice(acknowledgedBefore));
      expect(await sumsIn(server, fromMs)).toEqual({ cpu: restored.cpu + since.cpu, ticks: restored.ticks + since.ticks });
      const processes = await askJson<unknown[]>(
        server,
        `/api/v1/services/steady/processes?from=${fromMs}&until=${Date.now() + 60_000}`,
      );
      expect(processes).toHaveLength(1);
    } finally {
      agent.kill();
      await proxy.stop();
      await server.stop();
    }
  }, 300_000);

  it('goes through pipes, from one machine to another', async () => {
    const [dataDir, databaseUrl] = [path.join(folder, 'first'), await postgres.createDatabase()];
    const file = path.join(folder, 'piped.backup');
    const out = command(['backup', '-'], { HEARTH_DATA_DIR: dataDir }); // starts and stops the embedded Postgres itself
    await pipeline(out.child.stdout, createWriteStream(file));
    expect((await out.ended).code).toBe(0);
    const into = command(['restore', '-'], { DATABASE_URL: databaseUrl });
    await pipeline(createReadStream(file), into.child.stdin);
    expect(await into.ended).toMatchObject({ code: 0 });
    const server = await startTestServer({ databaseUrl });
    await server.stop();
  });
});

describe('a command', () => {
  it('that cannot be done says why, with its code', async () => {
    expect(await run(['backup', path.join(folder, 'x')], { HEARTH_DATA_DIR: path.join(folder, 'never') })).toEqual({
      code: 1,
      said: expect.stringMatching(/^hearth: BACKUP_NOTHING: [^\n]*\n$/),
    });
    expect(await run(['bakup'], {})).toMatchObject({
      code: 2,
      said: expect.stringMatching(/^hearth: there is no command "bakup"\n\nhearth-server /),
    });
  });

  it('that is killed while it restores leaves a database that no server starts on, and that can be restored again', async () => {
    const databaseUrl = await postgres.createDatabase();
    const file = path.join(folder, 'piped.backup');
    const killed = command(['restore', '-'], { DATABASE_URL: databaseUrl });
    const isLoading = () => killed.said().includes('restore: loading\n'); // the line of the step, not of the progress
    killed.child.stdin.on('error', () => undefined); // its reader is about to die
    for await (const chunk of createReadStream(file, { highWaterMark: 4_096 })) {
      killed.child.stdin.write(chunk);
      await sleep(20);
      if (isLoading()) break;
    }
    while (!isLoading()) await sleep(20); // its input is still open, so it cannot come to its end
    killed.child.kill('SIGKILL');
    await killed.ended;
    const server = await run([], { DATABASE_URL: databaseUrl, PORT: String(await freePort()), LOG_LEVEL: 'silent' });
    expect(server).toEqual({ code: 1, said: expect.stringMatching(/^hearth: RESTORE_UNFINISHED: [^\n]*\n$/) });
    expect(await run(['restore', file], { DATABASE_URL: databaseUrl })).toMatchObject({ code: 0 });
    const again = await startTestServer({ databaseUrl });
    await again.stop();
  });
});
