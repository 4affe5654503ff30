import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '@hearth/wire-format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { madeBatch } from './support/made-batch.js';
import { sendBatch } from './support/send-batch.js';
import { startTestServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const MIB = 2 ** 20;
const DISK_BYTES = 700 * MIB;

// Only root may make a small disk.
describe.runIf(process.getuid?.() === 0)('a full disk', () => {
  let dataDir: string;
  let server: TestServer | undefined;
  const freeBytes = () => statfsSync(dataDir).bavail * statfsSync(dataDir).bsize;
  const filling = () => path.join(dataDir, 'filling');
  /** As somebody else's files fill the disk, until so much is free. */
  const fillUpTo = (bytes: number) => {
    writeFileSync(filling(), '');
    try {
      writeFileSync(filling(), Buffer.alloc(Math.max(0, freeBytes() - bytes)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error; // Postgres was faster: full is full
    }
  };

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-full-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dataDir]);
    if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
    chmodSync(dataDir, 0o755);
  });
  afterEach(async () => {
    await server?.stop();
    spawnSync('umount', ['-l', dataDir]);
    rmSync(dataDir, { recursive: true });
  });

  it('stops ingest before it is quite full, while reading goes on, and ends by itself', async () => {
    server = await startTestServer({ dataDir, env: { MIN_FREE_DISK_BYTES: String(64 * MIB) } });
    const sender = new Sender(server);
    expect(await sender.send()).toMatchObject({ status: 202 });
    fillUpTo(60 * MIB);
    await sleep(1_100);
    const refused = await sender.send();
    expect(refused).toMatchObject({ status: 503, code: 'STORAGE_FULL' });
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(await sender.sum()).toBe(sender.expectedSum());
    fillUpTo(70 * MIB); // above the mark, and not far enough to go on
    await sleep(1_100);
    expect(await sender.send()).toMatchObject({ code: 'STORAGE_FULL' });
    fillUpTo(100 * MIB);
    await until(async () => (await sender.send()).status === 202 || undefined);
    expect(await sender.sum()).toBe(sender.expectedSum());
  }, 180_000);

  it('loses nothing that was acknowledged when not a byte is left, and goes on when there is room', async () => {
    server = await startTestServer({ dataDir, env: { MIN_FREE_DISK_BYTES: '0' } });
    const sender = new Sender(server);
    expect(await sender.send()).toMatchObject({ status: 202 });
    fillUpTo(0);
    // Postgres first uses up the room within its files.
    const full = await until(async () => {
      const answer = await sender.send(5_000);
      return answer.status === 202 ? undefined : answer;
    });
    expect(full).toMatchObject({ status: 503, code: 'STORAGE_FULL' });
    expect(Number(full.retryAfter)).toBeGreaterThan(0);
    expect(await sender.sum()).toBe(sender.expectedSum());
    for (let times = 0; times < 3; times += 1) {
      await sleep(5_000);
      const again = await sender.send(5_000);
      expect(again.status === 503 && again.retryAfter !== null).toBe(true);
    }
    rmSync(filling());
    await until(async () => (await sender.send()).status === 202 || undefined);
    expect(await until(() => sender.sum())).toBe(sender.expectedSum());
  }, 180_000);
});

/** An agent without a buffer: what was not acknowledged it does not count. */
class Sender {
  readonly #server: TestServer;
  readonly #processId = randomBytes(16).toString('hex');
  readonly #startMs = Math.floor(Date.now() / 60_000) * 60_000 - 300_000;
  readonly #acknowledged: number[] = [];
  #sequence = 0;

  constructor(server: TestServer) {
    this.#server = server;
  }

  expectedSum(): number {
    return this.#acknowledged.reduce((sum, sequence) => sum + 1_000 + sequence, 0);
  }

  async sum(): Promise<number> {
    const range = `service=made&from=${this.#startMs}&until=${this.#startMs + 60_000}`;
    return (await askJson<{ sum: number }>(this.#server, `/api/v1/functions?${range}`)).sum;
  }

  /** @param functions - New ones that the batch brings along, so that it takes room. */
  async send(functions = 0): Promise<{ status: number; code?: unknown; retryAfter: string | null }> {
    const sequence = (this.#sequence += 1);
    const batch = padded(madeBatch({ processId: this.#processId, sequence, startMs: this.#startMs }), functions);
    const { status, body, retryAfter } = await sendBatch(this.#server, batch);
    if (status === 202) this.#acknowledged.push(sequence);
    // Not known to be stored, and not to be sent again: it must not have been.
    return { status, code: body.code, retryAfter };
  }
}

/** The same batch with functions that nobody has heard of: what it takes on disk is mostly their names. */
function padded(batch: Batch, functions: number): Batch {
  const names = Array.from({ length: functions }, () => randomBytes(50).toString('hex'));
  const { functions: own, stacks } = batch;
  return {
    ...batch,
    functions: {
      length: own.length + functions,
      name: [...own.name, ...names],
      scriptName: [...own.scriptName, ...names.map(() => own.scriptName[0]!)],
      line: Uint32Array.from([...own.line, ...names.map(() => 1)]),
    },
    stacks: {
      length: stacks.length + functions,
      parent: Int32Array.from([...stacks.parent, ...names.map(() => 0)]),
      functionRow: Uint32Array.from([...stacks.functionRow, ...names.map((_, row) => own.length + row)]),
    },
  };
}
