import { labelValue } from '@hearth/profile-model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRELOAD, REQUIRE_PRELOAD, runHost } from './support/run-host.js';
import { Sink, flatSamples, functionNames, profileOf } from './support/sink.js';
import { expectNoDifference, saidBy } from './support/with-and-without.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

/** Finished transactions by their labels. */
function counts(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { transactions, labelSets } of sink.stored) {
    for (const { labelSet, count } of transactions) {
      const set = labelSets[labelSet]!;
      const key = ['transaction', 'thread', 'end'].map((name) => labelValue(set, name) ?? '-').join(' ');
      sums[key] = (sums[key] ?? 0) + count;
    }
  }
  return sums;
}

describe('worker threads', () => {
  for (const [how, nodeOptions] of [
    ['--import', PRELOAD],
    ['--require', REQUIRE_PRELOAD],
  ] as const) {
    it(`are sampled and counted inside their process, whichever way they end (${how})`, async () => {
      const { code, output, errors } = await runHost('threads.mjs', sink.url, { nodeOptions });
      expect(errors).not.toContain('AGENT_FAULT');
      expect({ code, output }).toEqual({ code: 0, output: 'natural 0,exit 3,throw 1,terminated \n' });
      const counted = counts();
      const name = Object.keys(counted)
        .find((key) => key.startsWith('threaded') && key.endsWith('natural'))!
        .split(' ')[1]!;
      expect(['worker', 'pool-*']).toContain(name); // Node 20 does not tell a thread its name
      expect(counted).toMatchObject({
        'main - -': 30,
        [`threaded ${name} natural`]: 20,
        [`threaded ${name} exit`]: 20,
        [`threaded ${name} throw`]: 20,
        'threaded worker lives': 20,
      });
      const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'));
      const cpuOf = (fn: string) => samples.filter(({ functionsRootFirst }) => functionsRootFirst.includes(fn));
      expect(cpuOf('workerWork').every(({ labels }) => labelValue(labels, 'thread') !== undefined)).toBe(true);
      expect(cpuOf('mainWork').every(({ labels }) => labelValue(labels, 'thread') === undefined)).toBe(true);
      const ended = cpuOf('workerWork').filter(({ labels }) => labelValue(labels, 'end') === 'exit');
      const endedMs = ended.reduce((sum, { value }) => sum + value, 0) / 1000;
      expect(endedMs).toBeGreaterThan(30); // 200 ms of work, on a machine that five threads share
      expect(endedMs).toBeLessThan(260);
      const slow = sink.stored.flatMap((batch) => batch.exemplars.map((exemplar) => ({ batch, exemplar })));
      const threaded = slow.filter(({ exemplar: { context } }) => labelValue(context, 'thread') !== undefined);
      expect(threaded.some(({ exemplar: { context } }) => labelValue(context, 'transaction') === 'threaded')).toBe(true);
      const long = threaded.filter(({ exemplar: { context } }) => labelValue(context, 'transaction') === 'long');
      const functions = long.flatMap(({ batch, exemplar: { samples } }) =>
        [...samples.stack].flatMap((stack) => functionNames(batch, stack)),
      );
      expect(functions).toContain('workerWork');
      expect(functions).not.toContain('mainWork');
      // One process, and one batch for each of its periods.
      expect(new Set(sink.stored.map(({ process }) => process.id)).size).toBe(1);
      expect(sink.stored.map(({ sequence }) => sequence)).toEqual(sink.stored.map((_, at) => at + 1));
    });
  }

  it('send no label that the rules of their process keep back', async () => {
    const env = { HEARTH_REDACT: 'end' };
    await runHost('threads.mjs', sink.url, { nodeOptions: PRELOAD, env });
    const threaded = Object.keys(counts()).filter((key) => key.startsWith('threaded'));
    expect(threaded.length).toBeGreaterThan(0);
    expect(threaded.every((key) => key.endsWith('(redacted)'))).toBe(true);
  });

  it('add up: their time and CPU are in the batch, and no more than their process used', async () => {
    await runHost('threads.mjs', sink.url, { nodeOptions: PRELOAD });
    let [cpuMicros, processMicros] = [0, 0];
    for (const batch of sink.stored) {
      cpuMicros += profileOf(batch, 'cpu')!.sampleValue.reduce((sum, value) => sum + value, 0);
      for (const { name, value } of batch.series) if (/^cpu_(user|system)_micros$/.test(name)) processMicros += value;
    }
    expect(cpuMicros).toBeLessThanOrEqual(processMicros * 1.02);
    expect(cpuMicros).toBeGreaterThan(processMicros * 0.15); // most of it is starting the threads, which no sampler sees
  });

  it('change nothing of their host where there is no agent to tell, or no key', async () => {
    for (const env of [{ HEARTH_KEY: '' }, { HEARTH_ENABLED: 'off' }]) {
      const { code, output, errors } = await runHost('threads.mjs', sink.url, { nodeOptions: PRELOAD, env });
      expect({ code, output }).toEqual({ code: 0, output: 'natural 0,exit 3,throw 1,terminated \n' });
      expect([...errors.matchAll(/\[hearth\]/g)].length).toBe('HEARTH_KEY' in env ? 1 : 0);
    }
    expect(sink.stored).toEqual([]);
  });

  it('may begin and end while the main thread is busy', async () => {
    const { code } = await runHost('busy-beside-worker.mjs', sink.url, { nodeOptions: PRELOAD });
    expect(code).toBe(0);
    expect(counts()).toMatchObject({ 'in worker worker -': 100 });
  });

  it('may be many and short, with little memory, terminated at any moment', async () => {
    const run = await expectNoDifference('many-threads.mjs', sink.url, { args: ['200'] });
    expect(run.output).toBe('200\n');
    expect(saidBy(run)).not.toContain('AGENT_NO_SAMPLER');
    const threads = sink.stored.flatMap(({ labelSets }) => labelSets.map((set) => labelValue(set, 'thread')));
    expect(new Set(threads)).toEqual(new Set([undefined, 'worker']));
  });

  it('may be those of a pool', async () => {
    const run = await expectNoDifference('many-threads.mjs', sink.url, { args: ['400', 'piscina'] });
    expect(run.output).toBe('400\n');
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wall'));
    const jobs = samples.filter(({ functionsRootFirst }) => functionsRootFirst.includes('job'));
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.every(({ labels }) => labelValue(labels, 'thread') !== undefined)).toBe(true);
  });
});
