import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Batch } from '@hearth/wire-format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHost, type HostResult } from './support/run-host.js';
import { Sink, countsByName } from './support/sink.js';

let sink: Sink;
let spoolDir: string;
beforeEach(async () => {
  sink = await new Sink().open();
  spoolDir = mkdtempSync(path.join(tmpdir(), 'hearth-test-spool-'));
});
afterEach(async () => {
  await sink.close();
  rmSync(spoolDir, { recursive: true, force: true });
});

interface Outage {
  /** Empty: without a spool. */
  readonly spool: string;
  readonly ringBytes?: number;
  /** What the host is told when it is time. */
  readonly ending: 'stop' | 'exit' | 'throw' | 'by itself' | 'SIGTERM' | 'SIGKILL';
  /** When that is: after so many refused requests. */
  readonly endsAfter: number;
}

const isAway = (): void => {
  sink.answer = (response) => response.writeHead(503, { 'retry-after': '0' }).end();
};
const isBack = (): void => {
  sink.answer = (response, batches) => sink.store(response, batches);
};

/** Runs the host until it has been refused so often, and ends it. */
function runSpooling({ spool, ringBytes, ending, endsAfter }: Outage): Promise<HostResult> {
  let host: ChildProcess | undefined;
  const before = sink.requests.length;
  const looks = setInterval(() => {
    if (host === undefined || sink.requests.length - before < endsAfter) return;
    clearInterval(looks);
    if (ending.startsWith('SIG')) host.kill(ending as NodeJS.Signals);
    else host.stdin!.write(ending);
  }, 20);
  return runHost('spooling.mjs', sink.url, {
    args: ringBytes === undefined ? [] : [String(ringBytes)],
    env: { HEARTH_SPOOL_DIR: spool },
    onStart: (started) => {
      host = started;
    },
  });
}

const spooledFiles = (): string[] =>
  readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.batch'));
/** As a minute later: what a process was sending when it was killed waits again. */
function expireLeases(): void {
  for (const name of spooledFiles()) {
    const file = path.join(spoolDir, name);
    renameSync(file, file.replace(/\.batch\.\d+$/, '.batch'));
  }
}
const sequencesOf = (batches: readonly Batch[]): number[] =>
  [...new Set(batches.map(({ sequence }) => sequence))].sort((a, b) => a - b);
const counted = ({ output }: HostResult): number => Number(/count (\d+)/.exec(output)![1]);
/** Without what was sent twice, as the server stores it. */
function storedOnce(): Batch[] {
  return [...new Map(sink.stored.map((batch) => [`${batch.process.id} ${batch.sequence}`, batch])).values()];
}

describe('an outage longer than the ring', () => {
  const SMALL_RING = 4_000;

  it('loses nothing with the spool', async () => {
    isAway();
    setTimeout(isBack, 2_500);
    const result = await runSpooling({ spool: spoolDir, ringBytes: SMALL_RING, ending: 'stop', endsAfter: 30 });
    expect(result.code).toBe(0);
    // What the stop left on the disk, the next process sends.
    await runSpooling({ spool: spoolDir, ending: 'stop', endsAfter: 8 });
    const first = storedOnce().filter(({ process: sender }) => sender.id === sink.requests[0]!.batches[0]!.process.id);
    expect(sequencesOf(first)).toEqual(Array.from({ length: first.length }, (_, at) => at + 1));
    expect(countsByName(first)).toEqual({ 'counted ok': counted(result) });
    expect(first.reduce((sum, { report }) => sum + report.droppedBatches, 0)).toBe(0);
    expect(spooledFiles()).toEqual([]);
  });

  it('loses without it exactly what it counts', async () => {
    isAway();
    setTimeout(isBack, 2_500);
    const result = await runSpooling({ spool: '', ringBytes: SMALL_RING, ending: 'stop', endsAfter: 30 });
    const stored = storedOnce();
    const lost = Math.max(...sequencesOf(stored)) - stored.length;
    expect(lost).toBeGreaterThan(0);
    expect(stored.reduce((sum, { report }) => sum + report.droppedBatches, 0)).toBe(lost);
    expect(countsByName(stored)['counted ok']).toBeLessThan(counted(result));
  });
});

describe('a process that ends while the server is away', () => {
  for (const [ending, expected] of [
    ['exit', { code: 4, signal: null }],
    ['throw', { code: 1, signal: null }],
    ['by itself', { code: 0, signal: null }],
    ['stop', { code: 0, signal: null }],
    ['SIGTERM', { code: null, signal: 'SIGTERM' }],
  ] as const) {
    it(`leaves all it measured to the next one (${ending})`, async () => {
      isAway();
      const result = await runSpooling({ spool: spoolDir, ending, endsAfter: 5 });
      expect({ code: result.code, signal: result.signal }).toEqual(expected);
      expect(sink.stored).toEqual([]);
      isBack();
      await runSpooling({ spool: spoolDir, ending: 'stop', endsAfter: spooledFiles().length + 2 });
      const first = storedOnce().filter(({ process: sender }) => sender.id === sink.requests[0]!.batches[0]!.process.id);
      expect(sequencesOf(first)).toEqual(Array.from({ length: first.length }, (_, at) => at + 1));
      if (ending !== 'SIGTERM') expect(countsByName(first)).toEqual({ 'counted ok': counted(result) });
      expect(spooledFiles()).toEqual([]);
    });
  }

  it('leaves to the next one all that could not be sent (SIGKILL)', async () => {
    isAway();
    const result = await runSpooling({ spool: spoolDir, ending: 'SIGKILL', endsAfter: 5 });
    expect(result.signal).toBe('SIGKILL');
    expireLeases();
    const left = spooledFiles().length;
    expect(left).toBeGreaterThan(2);
    isBack();
    await runSpooling({ spool: spoolDir, ending: 'stop', endsAfter: left + 2 });
    const first = storedOnce().filter(({ process: sender }) => sender.id === sink.requests[0]!.batches[0]!.process.id);
    expect(sequencesOf(first)).toEqual(Array.from({ length: left }, (_, at) => at + 1));
    expect(spooledFiles()).toEqual([]);
  });
});

describe('a process that ends while the server is there', () => {
  it('leaves its last period to the next one where nothing can be sent any more (process.exit)', async () => {
    const result = await runSpooling({ spool: spoolDir, ending: 'exit', endsAfter: 2 });
    expect(result.code).toBe(4);
    await runSpooling({ spool: spoolDir, ending: 'stop', endsAfter: 3 });
    const first = storedOnce().filter(({ process: sender }) => sender.id === sink.requests[0]!.batches[0]!.process.id);
    expect(countsByName(first)).toEqual({ 'counted ok': counted(result) });
  });

  it('sends what an earlier one left before its own first period has ended: it may never end one', async () => {
    await runSpooling({ spool: spoolDir, ending: 'exit', endsAfter: 2 });
    const before = sink.requests.length;
    await runSpooling({ spool: spoolDir, ending: 'exit', endsAfter: 1 });
    const senders = [0, before].map((at) => sink.requests[at]!.batches[0]!.process.id);
    expect(senders[1]).toBe(senders[0]);
  });

  it('leaves nothing where all was sent', async () => {
    await runSpooling({ spool: spoolDir, ending: 'by itself', endsAfter: 2 });
    expect(spooledFiles()).toEqual([]);
  });
});

it('goes on with one line, and with its ring, where the folder cannot be used', async () => {
  const file = path.join(spoolDir, 'file');
  writeFileSync(file, '');
  isAway();
  setTimeout(isBack, 1_500);
  const result = await runSpooling({ spool: file, ending: 'stop', endsAfter: 20 });
  expect(result.code).toBe(0);
  expect(result.errors.split('AGENT_SPOOL_UNUSABLE')).toHaveLength(2);
  expect(result.errors).not.toContain('AGENT_FAULT');
  expect(countsByName(storedOnce())).toEqual({ 'counted ok': counted(result) });
});
