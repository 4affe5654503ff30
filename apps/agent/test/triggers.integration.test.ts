import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch } from '@hearth/wire-format';
import { build } from 'tsdown';
import { describe, expect, test } from 'vitest';
import { PRELOAD, runHost, type HostOptions, type HostResult } from './support/run-host.js';
import { Sink, countsByName, flatSamples, nameOf, profileOf } from './support/sink.js';
import { saidBy } from './support/with-and-without.js';

class TriggersSink extends Sink {
  /** Kinds of batches: `R` at the raised rate, `L` with lines, else `-`. */
  get drawn(): string {
    return this.stored.map((batch) => (batch.profiles[0]!.lines === 'call-site' ? 'L' : isRaised(batch) ? 'R' : '-')).join('');
  }

  /** Runs `raises.mjs`. */
  run(args: readonly [forMs: number, triggers?: object, what?: string], options: HostOptions = {}): Promise<HostResult> {
    const texts = args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : `${arg}`));
    return runHost('raises.mjs', this.url, { ...options, args: texts });
  }
}

// Most of them wait most of the time: so several wait at once.
const it = test.extend<{ sink: TriggersSink }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from it what is needed
  sink: async ({}, use) => {
    const sink = new TriggersSink();
    await sink.open();
    await use(sink);
    await sink.close();
  },
});

const valueOf = ({ series }: Batch, name: string) => series.find((one) => one.name === name)?.value;
const isRaised = (batch: Batch): boolean => valueOf(batch, 'agent_sampling_rate_hz') === 499;
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const durationMs = (batches: readonly Batch[]): number => sum(batches.map((batch) => batch.durationMs));
const sumOf = (batches: readonly Batch[], type: 'cpu' | 'wall', column: 'sampleValue' | 'sampleCount'): number =>
  sum(batches.flatMap((batch) => [...(profileOf(batch, type)?.[column] ?? [])]));
const KINDS = ['alpha', 'beta', 'gamma'];
/** Rows of functions that are named after what they work for: all, and those of another transaction. Rows, because of a raised period many count 0. */
function attribution(batches: readonly Batch[]): { checked: number; wrong: number } {
  const found = batches
    .flatMap((batch) => flatSamples(batch, 'cpu'))
    .flatMap(({ labels, functionsRootFirst }) => {
      const kind = KINDS.find((one) => functionsRootFirst.includes(`${one}Work`));
      return kind === undefined ? [] : [kind === nameOf(labels)];
    });
  return { checked: found.length, wrong: found.filter((isRight) => !isRight).length };
}

describe.concurrent('a slow transaction', () => {
  it('raises the rate for a while and not again soon, and nothing is lost or under another name', async ({ sink }) => {
    const result = await sink.run([4_500, { slowTransactionMs: 350, durationMs: 1_500 }, 'slow']);
    expect(result.code).toBe(0);
    expect(saidBy(result)).toContain('AGENT_RAISED_RATE');
    expect(result.errors).toMatch(/a transaction took \d+ ms: 499 samples a second for 1.5 s/);
    expect(sink.drawn).toMatch(/^-+R+-+$/); // the second is soon after the first
    const raised = sink.stored.filter(isRaised);
    expect(durationMs(raised)).toBeGreaterThan(1_000); // the turns take a part of it
    expect(durationMs(raised)).toBeLessThan(3_000);
    for (const batch of raised) expect(valueOf(batch, 'agent_raised_by_slow_ratio')).toBe(1);
    const after = sink.stored.at(-1)!;
    expect([valueOf(after, 'agent_sampling_rate_hz'), valueOf(after, 'agent_raised_by_slow_ratio')]).toEqual([99, 0]);
    expect(new Set(sink.stored.map((batch) => batch.process.rateHz))).toEqual(new Set([99]));

    expect(attribution(sink.stored)).toMatchObject({ wrong: 0 });
    expect(attribution(raised)).toMatchObject({ wrong: 0 });
    expect(attribution(raised).checked).toBeGreaterThan(5);
    const runs = Number(/runs (\d+)/.exec(result.output)![1]);
    expect(sum(Object.values(countsByName(sink.stored)))).toBe(runs);

    const whole = durationMs(sink.stored);
    expect(Math.abs(sumOf(sink.stored, 'wall', 'sampleValue') / 1_000 / whole - 1)).toBeLessThan(0.1);
    const cpuMicros = sumOf(sink.stored, 'cpu', 'sampleValue');
    const processMicros = sum(
      sink.stored.flatMap(({ series }) =>
        series.filter(({ name }) => /^cpu_(user|system)_micros$/.test(name)).map(({ value }) => value),
      ),
    );
    expect(cpuMicros).toBeLessThanOrEqual(processMicros * 1.02);
    expect(cpuMicros).toBeGreaterThan(processMicros * 0.6); // the rest is V8's and libuv's own threads

    // Samples are many, and count as no more: a count is one of the process' own rate.
    const counts = sumOf(raised, 'wall', 'sampleCount') / durationMs(raised);
    expect(counts).toBeLessThan(0.11);
    expect(counts).toBeGreaterThan(0.005); // on a busy machine V8 takes few of them
  });
});

describe.concurrent('load', () => {
  for (const [cause, at, below] of [
    ['cpu', { cpuPct: 5 }, { cpuPct: 10_000 }],
    ['heap', { heapPct: 2 }, { heapPct: 100 }],
  ] as const)
    it(`raises the rate at the end of a period that has as much ${cause}, and not below`, async ({ sink }) => {
      const nodeOptions = ['--max-old-space-size=64'];
      await sink.run([3_300, { ...at, durationMs: 1_000 }], { nodeOptions });
      expect(sink.drawn).toMatch(/^-+R+-+$/);
      for (const batch of sink.stored.filter(isRaised)) expect(valueOf(batch, `agent_raised_by_${cause}_ratio`)).toBe(1);
      sink.stored.length = 0;
      await sink.run([2_200, { ...below, durationMs: 1_000 }], { nodeOptions });
      expect(sink.drawn).toMatch(/^-+$/);
    });
});

describe.concurrent('SIGUSR2', () => {
  const send = (line: string, host: { kill(signal: NodeJS.Signals): unknown }) => line === 'ready' && host.kill('SIGUSR2');

  it('raises the rate where it is asked for, and the process lives', async ({ sink }) => {
    const { code } = await sink.run([3_500, { signal: 'SIGUSR2', durationMs: 1_000 }], { onLine: send });
    expect(code).toBe(0);
    expect(sink.drawn).toMatch(/^-+R+-+$/);
  });

  it("raises the rate beside the host's own handler, which does what it did", async ({ sink }) => {
    const { code, output } = await sink.run([2_000, {}, 'listens'], {
      nodeOptions: PRELOAD,
      env: { HEARTH_TRIGGER_SIGNAL: 'SIGUSR2' },
      onLine: send,
    });
    expect(code).toBe(0);
    expect(output).toMatch(/^ready\nmine\nruns/);
    expect(sink.stored.some((batch) => valueOf(batch, 'agent_raised_by_signal_ratio') === 1)).toBe(true);
  });

  for (const [when, how, env, expected] of [
    ['by default, where it is not asked for', 'gone again', {}, 'ready\n'],
    ['beside a library that counts the listeners', 'counts', { HEARTH_TRIGGER_SIGNAL: 'SIGUSR2' }, 'ready\n'],
    ['when the host has stopped listening', 'gone again', { HEARTH_TRIGGER_SIGNAL: 'SIGUSR2' }, 'ready\n'],
    ['after a listener that comes once', 'once', { HEARTH_TRIGGER_SIGNAL: 'SIGUSR2' }, 'ready\nfirst\n'],
  ] as const)
    it(`stays deadly ${when}`, async ({ sink }) => {
      const { signal, output } = await runHost('counts-listeners.mjs', sink.url, {
        nodeOptions: PRELOAD,
        args: [how, 'SIGUSR2'],
        env,
        onLine: (_line, host) => host.kill('SIGUSR2'),
      });
      expect({ signal, output }).toEqual({ signal: 'SIGUSR2', output: expected });
    });
});

describe.concurrent('the server', () => {
  const command = { id: '1', kind: 'raise-rate', durationMs: 1_500 };

  it('raises the rate once for each command, and not soon after another', async ({ sink }) => {
    sink.offered = [command, { ...command, id: '2' }];
    const result = await sink.run([5_000]);
    expect(result.errors).toMatch(/asked by the server: 499 samples a second for 1.5 s \[AGENT_RAISED_RATE\]/);
    expect(sink.drawn).toMatch(/^-+R+-+$/);
  });

  it('is not heard where the host has said so, nor for another process, nor with a command that is none', async ({ sink }) => {
    sink.offered = [command];
    await sink.run([1_800], { env: { HEARTH_REMOTE: 'off' } });
    sink.offered = [{ process: 'other' }, { kind: 'rate' }, { durationMs: 999 }].map((wrong) => ({ ...command, ...wrong }));
    await sink.run([1_800]);
    expect(sink.drawn).toMatch(/^-+$/);
  });

  it('may ask for lines meanwhile, which are recorded at the usual rate; and for a raise while they are, which is not', async ({
    sink,
  }) => {
    sink.offered = [{ ...command, durationMs: 60_000 }];
    sink.onStored = () => {
      const last = sink.drawn.at(-1);
      if (last === 'R' && sink.offered.length === 1) sink.offered.push({ id: '2', kind: 'record-lines', durationMs: 1_500 });
      if (last === 'L' && sink.offered.length === 2) sink.offered.push({ ...command, id: '3' });
    };
    const { code, errors } = await sink.run([6_000]);
    expect(code).toBe(0);
    expect(errors).not.toContain('AGENT_FAULT');
    expect(sink.drawn).toMatch(/^-+R+L+-+$/);
    expect(Math.abs(sumOf(sink.stored, 'wall', 'sampleValue') / 1_000 / durationMs(sink.stored) - 1)).toBeLessThan(0.1);
  });

  it('is sent the rest of a process that ends while its rate is raised', async ({ sink }) => {
    sink.offered = [{ ...command, durationMs: 60_000 }];
    const { code } = await sink.run([2_500]);
    expect(code).toBe(0);
    expect(sink.drawn).toMatch(/^-+R+$/);
    expect(attribution(sink.stored)).toMatchObject({ wrong: 0 });
  });
});

describe.concurrent('the budget', () => {
  it('ends a raise that is too much', async ({ sink }) => {
    const result = await runHost('expensive.mjs', sink.url, {
      args: ['8'], // as long as the other beside it
      env: { HEARTH_BUDGET_CPU_PCT: '100', HEARTH_BUDGET_PAUSE_MS: '4', HEARTH_TRIGGER_CPU_PCT: '20' },
    });
    expect(result.code).toBe(0);
    expect(result.errors).toContain('the sampling rate is not raised any more: the agent was over its budget [AGENT_GOVERNOR]');
    expect(sink.drawn).toMatch(/^-+R+-+$/);
  });

  it('lets none begin while less is sampled than was asked for', async ({ sink }) => {
    const isLowered = (batch: Batch): boolean => (valueOf(batch, 'agent_stacks_ratio') ?? 1) < 1;
    sink.onStored = () => {
      if (sink.stored.some(isLowered)) sink.offered = [{ id: '1', kind: 'raise-rate', durationMs: 5_000 }];
    };
    const { errors } = await runHost('expensive.mjs', sink.url, {
      args: ['10'],
      env: { HEARTH_BUDGET_CPU_PCT: '100', HEARTH_BUDGET_PAUSE_MS: '4' },
    });
    expect(sink.stored.some(isLowered)).toBe(true);
    expect(errors).toMatch(/the agent is over its budget.* \[AGENT_NO_RAISE\]/);
    expect(sink.drawn).toMatch(/^-+$/);
  });
});

describe.concurrent('two native profilers', () => {
  it('take turns again and again beneath concurrent transactions: no crash, no sample of another, nothing lost', async ({
    sink,
  }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hearth-turns-'));
    try {
      const agent = fileURLToPath(new URL('..', import.meta.url));
      symlinkSync(path.join(agent, '../../node_modules'), path.join(folder, 'node_modules'));
      await build({
        entry: [fileURLToPath(new URL('hosts/many-turns.ts', import.meta.url))],
        format: 'esm',
        dts: false,
        platform: 'node',
        config: false,
        logLevel: 'silent',
        cwd: agent,
        outDir: folder,
        clean: false,
        deps: { alwaysBundle: [/^@hearth/], neverBundle: [/^@datadog/] },
      });
      const { code, output } = await runHost(path.join(folder, 'many-turns.mjs'), sink.url, {
        nodeOptions: ['--expose-gc'],
        args: ['200', '15', '10'],
      });
      expect(code).toBe(0);
      const { turns, checked, wrong, raw, ms, shares } = JSON.parse(output) as Turns;
      expect(turns).toBeGreaterThan(30); // 200 where the machine is quiet: each walks all code there is
      expect(checked).toBeGreaterThan(50);
      expect(wrong).toBe(0);
      expect(raw.raised / ms.raised).toBeGreaterThan(1.5 * (raw.usual / ms.usual));
      expect(Math.abs(shares.wall - 1)).toBeLessThan(0.1);
      expect(shares.cpu).toBeGreaterThan(0.8);
      expect(shares.cpu).toBeLessThan(1.05);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

interface Turns {
  readonly turns: number;
  readonly checked: number;
  readonly wrong: number;
  readonly raw: { readonly usual: number; readonly raised: number };
  readonly ms: { readonly usual: number; readonly raised: number };
  /** Of the time and CPU that went by. */
  readonly shares: { readonly wall: number; readonly cpu: number };
}
