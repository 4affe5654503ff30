import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DroppedCounts, PackedBatch } from '../src/batching/batch-buffer.js';
import { AgentLog } from '../src/safety/agent-log.js';
import { DiskSpool } from '../src/shipping/disk-spool.js';
import {
  LEASE_MS,
  MAX_SPOOLED_AGE_MS,
  destinationFolder,
  listFolder,
  measureFolderAtExit,
} from '../src/shipping/spool-folder.js';
import { readSpooledName, spooledName } from '../src/shipping/spooled-batch.js';

let spoolDir: string;
let folder: string;
let lines: string[];
let lost: DroppedCounts[];
/** Of batches whose order matters. */
const BASE_MS = Date.now();
const DESTINATION = new URL('http://127.0.0.1:4040/api/v1/batches');

beforeEach(() => {
  spoolDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-spool-'));
  folder = destinationFolder(spoolDir, DESTINATION, 'key');
  lines = [];
  lost = [];
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(spoolDir, { recursive: true, force: true });
});

/** As a process of its own would have one. */
function newSpool(maxBytes = 1_000_000, processNumber = 1, maxFiles?: number): DiskSpool {
  const log = new AgentLog();
  log.useLogger({ info: (line) => lines.push(line), warn: (line) => lines.push(line) });
  const processId = processNumber.toString(16).padStart(32, '0');
  return new DiskSpool(folder, maxBytes, processId, log, (counts) => lost.push(counts), maxFiles);
}
const packed = (sequence: number, size = 100, packedAtMs = Date.now()): PackedBatch => ({
  sequence,
  bytes: new Uint8Array(size).fill(sequence),
  packedAtMs,
  packedAt: 0,
  standsFor: { batches: 1, samples: sequence },
});
const files = (): string[] => readdirSync(folder).sort();
/** Takes all that can be taken, in its order, and removes it. */
async function takeAll(spool: DiskSpool): Promise<number[]> {
  const sequences: number[] = [];
  for (let one = await spool.takeOldest(); one !== undefined; one = await spool.takeOldest()) {
    expect(one.bytes.every((byte) => byte === one!.file.sequence)).toBe(true);
    sequences.push(one.file.sequence);
    await spool.remove(one);
  }
  return sequences;
}

describe('DiskSpool', () => {
  it('gives back what an earlier process left, oldest first, and nothing twice', async () => {
    const ended = newSpool();
    for (const sequence of [3, 1, 2]) expect(await ended.save(packed(sequence, 100, BASE_MS + sequence))).toBe(true);
    const next = newSpool(1_000_000, 2);
    await next.open();
    expect([next.hasWaiting, next.bytes]).toEqual([true, 300]);
    expect(await takeAll(next)).toEqual([1, 2, 3]);
    expect([next.hasWaiting, next.bytes, files()]).toEqual([false, 0, []]);
    expect(await takeAll(ended)).toEqual([]); // it still knows their names
    expect({ lines, lost }).toEqual({ lines: [], lost: [] });
  });

  it('is for the owner only, and holds what is sent byte for byte', async () => {
    chmodSync(spoolDir, 0o777);
    mkdirSync(folder, { mode: 0o777 });
    await newSpool().save(packed(7));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const [name] = files();
    expect(statSync(path.join(folder, name!)).mode & 0o777).toBe(0o600);
    expect([...readFileSync(path.join(folder, name!))]).toEqual([...packed(7).bytes]);
  });

  it('lets one process send a batch; another may after a minute', async () => {
    const nowMs = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
    const one = newSpool();
    await one.save(packed(1));
    const leased = (await one.takeOldest())!;
    const other = newSpool(1_000_000, 2);
    vi.setSystemTime(nowMs + LEASE_MS - 1);
    await other.open();
    expect([await other.takeOldest(), other.bytes]).toEqual([undefined, 100]);
    vi.setSystemTime(nowMs + LEASE_MS);
    const later = newSpool(1_000_000, 3);
    expect((await later.takeOldest())!.file.sequence).toBe(1);
    await one.putBack(leased); // it has another's name by now
    await one.remove(leased);
    expect({ files: files().length, lines }).toEqual({ files: 1, lines: [] });
  });

  it('takes a lease from before the clock was put back for none', async () => {
    const spool = newSpool();
    await spool.save(packed(1));
    const [name] = files();
    writeFileSync(
      path.join(folder, spooledName({ ...readSpooledName(name!)!, leasedUntilMs: Date.now() + 86_400_000 })),
      packed(1).bytes,
    );
    rmSync(path.join(folder, name!));
    expect(await takeAll(newSpool())).toEqual([1]);
  });

  it('shares a folder among processes: every batch is taken exactly once', async () => {
    const spools = [1, 2, 3, 4].map((processNumber) => newSpool(1_000_000, processNumber));
    await Promise.all(spools.flatMap((spool, at) => [1, 2, 3, 4, 5].map((one) => spool.save(packed(at * 5 + one)))));
    await Promise.all(spools.map((spool) => spool.open()));
    const taken = (await Promise.all(spools.map(takeAll))).flat().sort((a, b) => a - b);
    expect(taken).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('puts back what could not be sent, as the oldest', async () => {
    const spool = newSpool();
    for (const sequence of [1, 2]) await spool.save(packed(sequence, 100, BASE_MS + sequence));
    await spool.putBack((await spool.takeOldest())!);
    expect(await takeAll(spool)).toEqual([1, 2]);
  });

  it('holds its bytes exactly, and gives up the oldest for one byte more', async () => {
    const spool = newSpool(200);
    for (const sequence of [1, 2]) await spool.save(packed(sequence, 100, BASE_MS + sequence));
    expect([spool.bytes, lost]).toEqual([200, []]);
    await spool.save(packed(3, 1, BASE_MS + 3));
    expect([spool.bytes, lost]).toEqual([101, [{ batches: 1, samples: 1 }]]);
    expect(await spool.save(packed(4, 201))).toBe(false);
    expect(await takeAll(newSpool(200))).toEqual([2, 3]);
  });

  it('gives up what is older than six days, not what is six days old, and says how much', async () => {
    const nowMs = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
    const ended = newSpool();
    await ended.save(packed(1, 100, nowMs - MAX_SPOOLED_AGE_MS - 1));
    await ended.save(packed(2, 100, nowMs - MAX_SPOOLED_AGE_MS));
    expect(await takeAll(newSpool())).toEqual([2]);
    expect(lost).toEqual([{ batches: 1, samples: 1 }]);
  });

  it('counts what is damaged as lost, leaves alone what is not its own, and sends neither', async () => {
    const spool = newSpool();
    for (const sequence of [1, 2, 3, 4]) await spool.save(packed(sequence, 100, BASE_MS + sequence));
    const [cut, flipped, linked] = files();
    writeFileSync(path.join(folder, cut!), packed(1, 99).bytes);
    writeFileSync(path.join(folder, flipped!), packed(9).bytes);
    writeFileSync(path.join(spoolDir, 'elsewhere'), packed(3).bytes);
    rmSync(path.join(folder, linked!));
    symlinkSync(path.join(spoolDir, 'elsewhere'), path.join(folder, linked!));
    writeFileSync(path.join(folder, 'notes.txt'), 'of somebody');
    writeFileSync(path.join(folder, '1.batch'), 'of somebody');
    const next = newSpool();
    expect(await takeAll(next)).toEqual([4]);
    expect([next.ignoredCount, next.bytes]).toEqual([5, 0]);
    expect(lost.map(({ samples }) => samples)).toEqual([1, 2, 3]);
    expect(files()).toEqual(['1.batch', 'notes.txt']);
    expect(existsSync(path.join(spoolDir, 'elsewhere'))).toBe(true);
    expect(lines.map((line) => /\[(\w+)\]$/.exec(line)![1])).toEqual(['AGENT_SPOOL_DAMAGED']); // once a minute
  });

  it('keeps what cannot be read now, sends what can, and says it once', async () => {
    const spool = newSpool();
    for (const sequence of [1, 2]) await spool.save(packed(sequence, 100, BASE_MS + sequence));
    const file = path.join(folder, files()[0]!);
    // Opening a socket fails, whoever does it: as EMFILE or EIO it tells nothing of the batch.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path.join(spoolDir, 's'), resolve));
    renameSync(path.join(spoolDir, 's'), file);
    try {
      expect(await spool.takeOldest()).toBeUndefined();
      expect(await takeAll(spool)).toEqual([2]);
      expect({ lost, ignored: spool.ignoredCount, files: files() }).toEqual({
        lost: [],
        ignored: 0,
        files: [path.basename(file)],
      });
      expect(lines).toEqual([expect.stringMatching(/ENXIO.*AGENT_SPOOL_UNUSABLE/)]);
    } finally {
      rmSync(file);
      await new Promise((resolve) => server.close(resolve));
    }
    writeFileSync(file, packed(1).bytes);
    expect(await takeAll(spool)).toEqual([1]);
  });

  it('removes what never became whole when its process has surely ended', async () => {
    mkdirSync(folder, { recursive: true });
    const id = '0'.repeat(32);
    const [stale, fresh] = [3_600_001, 3_000_000].map((ageMs) => `${Date.now() - ageMs}.${id}.1.later.unfinished`);
    for (const name of [stale!, fresh!]) writeFileSync(path.join(folder, name), 'half');
    await newSpool().open();
    expect(files()).toEqual([fresh]);
  });

  it('removes from folders of other destinations what is too old, and then the folder', async () => {
    const others = ['a key of before', 'another address'].map((key) => destinationFolder(spoolDir, DESTINATION, key));
    for (const [at, other] of others.entries()) {
      mkdirSync(other, { recursive: true });
      const old = { ...packed(at), processId: '0'.repeat(32), bytes: 1, checksum: '00000000', leasedUntilMs: undefined };
      for (const ageMs of at === 0 ? [MAX_SPOOLED_AGE_MS + 60_000] : [MAX_SPOOLED_AGE_MS + 60_000, 0])
        writeFileSync(path.join(other, spooledName({ ...old, packedAtMs: Date.now() - ageMs })), 'x');
    }
    await newSpool().open();
    expect(others.map((other) => existsSync(other) && readdirSync(other).length)).toEqual([false, 1]);
    expect(lost).toEqual([]);
  });

  it('knows a thousand of many, and sends them all', async () => {
    const spool = newSpool();
    await spool.open();
    const old = { ...packed(1, 1), processId: '0'.repeat(32), bytes: 1, checksum: '', leasedUntilMs: undefined };
    await spool.save(packed(1, 1, 1));
    const { checksum } = readSpooledName(files()[0]!)!;
    rmSync(path.join(folder, files()[0]!));
    const startMs = Date.now() - 10_000;
    for (let at = 0; at < 1_200; at += 1)
      writeFileSync(
        path.join(folder, spooledName({ ...old, checksum, sequence: 1, packedAtMs: startMs + at })),
        packed(1, 1).bytes,
      );
    const next = newSpool();
    const taken: number[] = [];
    for (let one = await next.takeOldest(); one !== undefined; one = await next.takeOldest()) {
      taken.push(one.file.packedAtMs - startMs);
      await next.remove(one);
    }
    expect(taken).toEqual(Array.from({ length: 1_200 }, (_, at) => at));
  });

  it('saves at the exit of the process without waiting for anything', async () => {
    newSpool().saveAtExit(packed(5));
    expect(await takeAll(newSpool())).toEqual([5]);
  });

  it('holds its bytes exactly at the exit of the process too, whether it has looked at the folder or not', async () => {
    for (const sequence of [1, 2, 3]) newSpool(300, sequence).saveAtExit(packed(sequence, 100, BASE_MS + sequence));
    expect([files().length, lost]).toEqual([3, []]);
    const looked = newSpool(400, 4);
    await looked.open();
    for (const sequence of [4, 5]) looked.saveAtExit(packed(sequence, 100, BASE_MS + sequence));
    newSpool(400, 6).saveAtExit(packed(6, 1, BASE_MS + 6));
    expect([files().length, lost.map(({ samples }) => samples)]).toEqual([4, [5, 6]]);
  });

  it('gives up the oldest of what others left beyond the limit', async () => {
    for (const sequence of [1, 2, 3]) newSpool(300, sequence).saveAtExit(packed(sequence, 100, BASE_MS + sequence));
    const spool = newSpool(200, 4);
    await spool.open();
    expect([spool.bytes, lost]).toEqual([200, [{ batches: 1, samples: 1 }]]);
    expect(await takeAll(spool)).toEqual([2, 3]);
  });

  it('reads no more files than it may, and adds none to so many', async () => {
    for (const sequence of [1, 2, 3]) await newSpool().save(packed(sequence, 100, BASE_MS + sequence));
    for (const [maxFiles, isCut] of [
      [3, false],
      [2, true],
    ] as const) {
      const seen = { bytes: 100 * maxFiles, isCut };
      expect(await listFolder(folder, Date.now(), maxFiles)).toMatchObject({ ...seen, isComplete: !isCut });
      if (!isCut) expect(measureFolderAtExit(folder, maxFiles)).toEqual(seen);
      else expect(measureFolderAtExit(folder, maxFiles).isCut).toBe(true);
    }
    newSpool(1_000_000, 2, 2).saveAtExit(packed(4));
    expect([files().length, lost.length]).toEqual([3, 1]);
    expect(await newSpool(1_000_000, 2, 2).save(packed(5))).toBe(true);
    expect([files().length, lost.length]).toEqual([3, 2]);
    newSpool(1_000_000, 2, 3).saveAtExit(packed(6));
    expect([files().length, lost.length]).toEqual([4, 2]);
  });

  it('lets go at the exit of the process what it was sending', async () => {
    const ending = newSpool();
    await ending.save(packed(1));
    ending.releaseAtExit();
    await ending.takeOldest();
    ending.releaseAtExit();
    expect(await takeAll(newSpool())).toEqual([1]);
  });
});

describe('a folder that cannot be used', () => {
  it('is said once, and is used again when it can be', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    const spool = newSpool();
    await spool.open();
    for (const sequence of [1, 2]) expect(await spool.save(packed(sequence))).toBe(false);
    expect(await spool.takeOldest()).toBeUndefined();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/AGENT_SPOOL_UNUSABLE/);
    rmSync(folder);
    expect(await spool.save(packed(3))).toBe(true);
    expect(await takeAll(spool)).toEqual([3]);
  });

  it('is made anew when somebody has removed it', async () => {
    const spool = newSpool();
    await spool.save(packed(1));
    rmSync(spoolDir, { recursive: true });
    expect(await spool.takeOldest()).toBeUndefined();
    expect(await spool.save(packed(2))).toBe(true);
    expect(await takeAll(spool)).toEqual([2]);
    expect(lines).toEqual([]);
  });

  // Only root may make a small disk, or another user.
  describe.runIf(process.getuid?.() === 0)('as root', () => {
    it('may belong to another user', async () => {
      mkdirSync(folder);
      spawnSync('chown', ['1234', folder]);
      const spool = newSpool();
      await spool.open();
      for (const sequence of [1, 2]) expect(await spool.save(packed(sequence))).toBe(false);
      for (const one of [spool, newSpool()]) expect(() => one.saveAtExit(packed(3))).toThrow(/belongs to another user/);
      expect([files(), lines.length]).toEqual([[], 1]);
      expect(lines[0]).toMatch(/belongs to another user.*AGENT_SPOOL_UNUSABLE/);
      spawnSync('chown', ['0', folder]);
      expect(await spool.save(packed(4))).toBe(true);
    });

    it('may be full: nothing half-written is left, and it goes on when there is room', async () => {
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', spoolDir]);
      try {
        const spool = newSpool();
        expect(await spool.save(packed(1, 40_000))).toBe(true);
        expect(await spool.save(packed(2, 40_000))).toBe(false);
        expect(lines[0]).toMatch(/ENOSPC.*AGENT_SPOOL_UNUSABLE/);
        expect(files()).toHaveLength(1);
        expect(await takeAll(spool)).toEqual([1]);
        expect(await spool.save(packed(2, 40_000))).toBe(true);
      } finally {
        spawnSync('umount', ['-l', spoolDir]);
      }
    });

    it('may be read-only', async () => {
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,ro', 'tmpfs', spoolDir]);
      try {
        const spool = newSpool();
        await spool.open();
        expect(await spool.save(packed(1))).toBe(false);
        expect(() => spool.saveAtExit(packed(1))).toThrow(/EROFS|ENOENT/);
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/EROFS.*AGENT_SPOOL_UNUSABLE/);
      } finally {
        spawnSync('umount', ['-l', spoolDir]);
      }
    });
  });
});
