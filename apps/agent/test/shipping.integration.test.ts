import { spawnSync } from 'node:child_process';
import dns from 'node:dns';
import { constants, closeSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeBatch } from '@hearth/wire-format';
import { madeBatch } from '../../../test/support/made-batch.js';
import { BatchBuffer } from '../src/batching/batch-buffer.js';
import { AgentLog } from '../src/safety/agent-log.js';
import { createGuard } from '../src/safety/guard.js';
import { DiskSpool } from '../src/shipping/disk-spool.js';
import { Shipper } from '../src/shipping/shipper.js';
import { Sink } from './support/sink.js';

let sink: Sink;
let buffer: BatchBuffer;
let lines: string[];
let log: AgentLog;
let shipper: Shipper;
const newShipper = (base = sink.url, spool?: DiskSpool): Shipper =>
  new Shipper(
    { url: new URL('/api/v1/batches', base), key: 'k', userAgent: 'test' },
    buffer,
    spool,
    log,
    createGuard(log),
    () => {},
  );

beforeEach(async () => {
  sink = await new Sink().open();
  buffer = new BatchBuffer(1_000_000);
  lines = [];
  log = new AgentLog();
  log.useLogger({ info: (line) => lines.push(line), warn: (line) => lines.push(line) });
  shipper = newShipper();
});
afterEach(async () => {
  shipper.stop();
  await sink.close();
});

function put(sequence: number): void {
  const bytes = gzipSync(encodeBatch(madeBatch({ processId: 'a'.repeat(32), sequence, startMs: 60_000 })));
  const now = performance.now();
  buffer.add({ sequence, bytes, packedAtMs: Date.now(), packedAt: now, standsFor: { batches: 1, samples: 1 } }, now);
}
const until = async (isTrue: () => boolean): Promise<void> => {
  for (let waited = 0; !isTrue(); waited += 20) {
    if (waited > 20_000) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const sent = (): number[] => sink.requests.flatMap(({ batches }) => batches.map(({ sequence }) => sequence));

describe('Shipper', () => {
  it('sends what waits, oldest first, and forgets what was stored', async () => {
    [1, 2, 3].forEach(put);
    expect(await shipper.flush('more-to-come')).toBe(true);
    expect(sent()).toEqual([1, 2, 3]);
    expect(buffer.length).toBe(0);
    expect(lines.filter((line) => line.includes('AGENT_CONNECTED'))).toHaveLength(1);
  });

  it('tries again by itself after 429, 503 and a broken connection, the same batch with the same sequence', async () => {
    const answers = [429, 503, 'broken'];
    sink.answer = (response, batches) => {
      const answer = answers.shift();
      if (answer === undefined) sink.store(response, batches);
      else if (answer === 'broken') response.socket!.destroy();
      else response.writeHead(answer as number, { 'retry-after': '0' }).end();
    };
    put(1);
    shipper.wake();
    await until(() => sink.stored.length === 1);
    expect(sent()).toEqual([1, 1, 1, 1]);
    await until(() => buffer.length === 0);
    expect(lines.filter((line) => line.includes('AGENT_SERVER_AWAY'))).toHaveLength(1);
  });

  it('waits as long as Retry-After says', async () => {
    let first = true;
    sink.answer = (response, batches) => {
      if (!first) return sink.store(response, batches);
      first = false;
      response.writeHead(503, { 'retry-after': '3' }).end();
    };
    put(1);
    shipper.wake();
    await until(() => sink.stored.length === 1);
    expect(sink.requests[1]!.atMs - sink.requests[0]!.atMs).toBeGreaterThanOrEqual(2_900);
  });

  it('sends nothing any more once it has stopped, whatever the answer it still waited for', async () => {
    for (const status of [503, 202]) {
      const late: (() => void)[] = [];
      sink.answer = (response) =>
        late.push(() => response.writeHead(status, { 'content-type': 'application/json' }).end('{"accepted":1}'));
      const stopped = newShipper();
      const before = sink.requests.length;
      [1, 2].forEach(put);
      stopped.wake();
      await until(() => late.length === 1);
      stopped.stop();
      late[0]!();
      await new Promise((resolve) => setTimeout(resolve, 2_500)); // the first retry comes within two seconds
      expect(sink.requests.length - before).toBe(1);
    }
  });

  it('drops and counts what is refused for good, and goes on with the next', async () => {
    sink.answer = (response, batches) =>
      batches[0]!.sequence === 2
        ? sink.store(response, batches)
        : void response.writeHead(batches[0]!.sequence === 1 ? 400 : 413).end();
    [1, 2, 3].forEach(put);
    expect(await shipper.flush('more-to-come')).toBe(true);
    expect(sent()).toEqual([1, 2, 3]);
    expect(buffer.takeDropped()).toEqual({ batches: 2, samples: 2 });
  });

  it('keeps the batch and says it once where the key is refused', async () => {
    sink.answer = (response) => response.writeHead(401).end('{"code":"KEY_UNKNOWN"}');
    put(1);
    expect(await shipper.flush('more-to-come')).toBe(false);
    expect(await shipper.flush('more-to-come')).toBe(false);
    expect(buffer.length).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/HEARTH_KEY.*AGENT_KEY_REFUSED/);
    sink.answer = (response, batches) => sink.store(response, batches);
    expect(await shipper.flush('more-to-come')).toBe(true);
  });

  it('settles after an answer that changes the protocol', async () => {
    sink.answer = (response) =>
      response.socket!.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    put(1);
    const beganAt = performance.now();
    expect(await shipper.flush('more-to-come')).toBe(false);
    expect(performance.now() - beganAt).toBeLessThan(11_000);
  });

  it('does not look up again, at the end, a name that is unknown', async () => {
    const lookups = vi.spyOn(dns, 'lookup');
    const named = newShipper('http://no-such-host.invalid/');
    put(1);
    expect(await named.flush('last')).toBe(false);
    expect(lookups).toHaveBeenCalledTimes(1);
    expect(await named.flush('last')).toBe(false);
    expect(lookups).toHaveBeenCalledTimes(1);
    expect(await named.flush('more-to-come')).toBe(false);
    expect(lookups).toHaveBeenCalledTimes(2);
    named.stop();
    const refused = newShipper('http://localhost:9/');
    lookups.mockClear();
    expect([await refused.flush('last'), await refused.flush('last')]).toEqual([false, false]);
    expect(lookups).toHaveBeenCalledTimes(2);
    refused.stop();
  });

  it('never rejects, with nobody listening', async () => {
    await sink.close();
    put(1);
    expect(await shipper.flush('more-to-come')).toBe(false);
    expect(buffer.length).toBe(1);
    sink = await new Sink().open();
  });
});

describe('a disk that hangs', () => {
  it('keeps nothing that is new from being sent, and is used again when it answers', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hearth-test-hung-'));
    const spool = new DiskSpool(folder, 1_000_000, 'a'.repeat(32), log, (lost) => buffer.countLost(lost));
    try {
      put(1);
      await spool.save(buffer.oldest!);
      buffer.remove(buffer.oldest!);
      const [name] = readdirSync(folder);
      spawnSync('mkfifo', [path.join(folder, 'fifo')]);
      renameSync(path.join(folder, 'fifo'), path.join(folder, name!)); // to open it for reading takes until somebody writes
      shipper = newShipper(sink.url, spool);
      shipper.wake();
      await until(() => readdirSync(folder)[0] !== name); // leased
      put(2);
      shipper.wake();
      await until(() => sent().includes(2));
      expect(shipper.isDiskHung).toBe(true);
      const startedAt = performance.now();
      put(3);
      expect(await shipper.flush('more-to-come')).toBe(true);
      put(4);
      await shipper.spill();
      expect(shipper.unsaved.map(({ sequence }) => sequence)).toEqual([4]);
      expect(performance.now() - startedAt).toBeLessThan(2_500); // less than it waits for a disk
      closeSync(openSync(path.join(folder, readdirSync(folder)[0]!), constants.O_WRONLY | constants.O_NONBLOCK));
      await until(() => !shipper.isDiskHung);
      await shipper.spill();
      expect(shipper.unsaved).toEqual([]);
      expect(await shipper.flush('more-to-come')).toBe(true);
      expect(sent()).toEqual([2, 3, 4]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
