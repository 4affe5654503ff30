import { readFileSync } from 'node:fs';
import { labelValue } from '@hearth/profile-model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHost } from './support/run-host.js';
import { Sink, countsByName, flatSamples, nameOf, profileOf } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

describe('labels', () => {
  it('follow 50 concurrent transactions through awaits, timers and spans without one wrong sample', async () => {
    const { output } = await runHost('concurrent.mjs', sink.url);
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'cpu'));
    const work = samples.filter(({ functionsRootFirst }) => functionsRootFirst.some((name) => name.endsWith('Work')));
    const checked = work.reduce((sum, { count }) => sum + count, 0);
    const wrong = work.filter(({ functionsRootFirst, labels }) => !functionsRootFirst.includes(`${nameOf(labels)}Work`));
    expect(checked).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
    expect(work.every(({ labels }) => labelValue(labels, 'size') !== undefined)).toBe(true); // also on the samples before tag()
    expect(work.some(({ labels }) => labelValue(labels, 'span') === 'step')).toBe(true);
    const runs = Number(output.match(/runs (\d+)/)![1]);
    expect(Object.values(countsByName(sink.stored)).reduce((sum, count) => sum + count, 0)).toBe(runs);
  });
});

describe('a batch', () => {
  it('counts every request once, over several periods', async () => {
    await runHost('requests.mjs', sink.url, { args: ['1000'] });
    expect(sink.stored.length).toBeGreaterThan(1);
    expect(sink.stored.map(({ sequence }) => sequence)).toEqual(sink.stored.map((_, at) => at + 1));
    expect(countsByName(sink.stored)).toEqual({ 'GET /orders/:id ok': 1000, 'price ok': 1000 });
    for (const { transactions } of sink.stored) {
      for (const { count, sketchCount } of transactions) expect(sketchCount.reduce((sum, one) => sum + one, 0)).toBe(count);
    }
    const pro = sink.stored.flatMap(({ transactions, labelSets }) =>
      transactions.filter(({ labelSet }) => labelValue(labelSets[labelSet]!, 'plan') === 'pro'),
    );
    expect(pro.reduce((sum, { count }) => sum + count, 0)).toBe(500);
  });

  it('holds the whole time of its period, in whole microseconds, and the CPU that the process used', async () => {
    // V8's compilers and collectors have no threads of their own then, which the process' CPU would hold and no sample does.
    await runHost('requests.mjs', sink.url, { args: ['600'], nodeOptions: ['--single-threaded'] });
    let [wallMs, durationMs] = [0, 0];
    for (const batch of sink.stored) {
      const [cpu, wall] = [profileOf(batch, 'cpu')!, profileOf(batch, 'wall')!];
      for (const value of [...cpu.sampleValue, ...wall.sampleValue]) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
      wallMs += wall.sampleValue.reduce((sum, value) => sum + value, 0) / 1000;
      durationMs += batch.durationMs;
    }
    // Over all periods: where one ends, the sampler and the clock are read one after the other, and a busy machine may come between.
    expect(Math.abs(wallMs - durationMs)).toBeLessThan(0.1 * durationMs + 200);
    const cpuMicros = sink.stored
      .flatMap((batch) => [...profileOf(batch, 'cpu')!.sampleValue])
      .reduce((sum, value) => sum + value, 0);
    const processMicros = sink.stored
      .flatMap(({ series }) => series)
      .filter(({ name }) => /^cpu_(user|system)_micros$/.test(name))
      .reduce((sum, { value }) => sum + value, 0);
    expect(cpuMicros).toBeLessThanOrEqual(processMicros * 1.02);
    expect(cpuMicros).toBeGreaterThan(processMicros * 0.6); // the rest is the profiler's thread and libuv's
    const idle = sink.stored
      .flatMap((batch) => flatSamples(batch, 'cpu'))
      .filter(({ functionsRootFirst }) => functionsRootFirst.some((name) => ['(idle)', '(root)'].includes(name)));
    expect(idle).toEqual([]);
  });

  it.each([5, 20])('holds all of it however short its period is: %i ms', async (eachMs) => {
    const { output } = await runHost('flushes-often.mjs', sink.url, {
      args: [String(eachMs)],
      env: { HEARTH_BUDGET_CPU_PCT: '100', HEARTH_BUDGET_PAUSE_MS: '10000' },
    });
    const { least, most } = JSON.parse(output) as Record<'least' | 'most', Record<'cpu' | 'wall', number>>;
    expect(sink.stored.length).toBeGreaterThan(1_500 / eachMs);
    for (const type of ['cpu', 'wall'] as const) {
      const sentMs = sink.stored
        .flatMap((batch) => [...(profileOf(batch, type)?.sampleValue ?? [])])
        .reduce((sum, micros) => sum + micros / 1_000, 0);
      expect(sentMs, type).toBeGreaterThan(least[type] * 0.99);
      expect(sentMs, type).toBeLessThan(most[type] * 1.01);
    }
  });

  it('says where its functions begin, as V8 counts: at the bracket behind their name', async () => {
    await runHost('requests.mjs', sink.url, { args: ['100'] });
    const source = readFileSync(new URL('./hosts/work.mjs', import.meta.url), 'utf8').split('\n');
    const lineAt = source.findIndex((line) => line.includes('function burn('));
    const { name, line, column } = sink.stored
      .map(({ functions }) => functions)
      .find(({ name: names }) => names.includes('burn'))!;
    const row = name.indexOf('burn');
    expect([line[row], column![row]]).toEqual([lineAt + 1, source[lineAt]!.indexOf('(') + 1]);
  });

  it('says who measured', async () => {
    await runHost('requests.mjs', sink.url, {
      args: ['100'],
      env: { HEARTH_REVISION: 'abc1234', HEARTH_LABELS: 'region=eu, zone=1', HEARTH_ENVIRONMENT: 'production' },
    });
    const { process: sender, series, profiles } = sink.stored[0]!;
    expect(sender).toMatchObject({
      service: 'host',
      environment: 'production',
      revision: 'abc1234',
      revisionSource: 'environment',
      version: '1.2.3',
      rateHz: 99,
      labels: [
        ['region', 'eu'],
        ['zone', '1'],
      ],
    });
    expect(sender.id).toMatch(/^[0-9a-f]{32}$/);
    expect(Math.abs(sender.startedAtMs - Date.now())).toBeLessThan(60_000);
    expect(profiles.map(({ typeId }) => typeId.split(':')[1]).sort()).toEqual([
      'awaited',
      'cpu',
      'inuse_objects',
      'inuse_space',
      'wait',
      'wall',
    ]);
    for (const name of [
      'rss_bytes',
      'heap_used_bytes',
      'heap_limit_bytes',
      'event_loop_utilisation_ratio',
      'cpu_user_micros',
      'agent_flush_micros',
    ]) {
      expect(series.map((one) => one.name)).toContain(name);
    }
  });
});

describe('the API', () => {
  it('is one agent in ESM and CommonJS', async () => {
    const { errors } = await runHost('both-builds.mjs', sink.url);
    expect(countsByName(sink.stored)).toEqual({ 'outer ok': 1, 'second ok': 1 });
    const labels = sink.stored
      .flatMap(({ labelSets }) => labelSets)
      .map((set) => labelValue(set, 'from'))
      .filter((from) => from !== undefined);
    expect(labels).toEqual(['cjs', 'esm']);
    expect(errors).toContain('[AGENT_ALREADY_STARTED]');
  });

  it('never throws and never changes a result, whatever it is given', async () => {
    const { code, output } = await runHost('hostile-labels.mjs', sink.url);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({ results: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], errors: ['a text', 'undefined'] });
    const [batch] = sink.stored;
    expect(batch!.labelSets.length).toBeLessThanOrEqual(256);
    expect(batch!.report.foldedLabelSets).toBeGreaterThan(700);
    expect(batch!.process.labels).toEqual([
      ['__proto__', 'p'],
      ['x', '␀'],
    ]);
    const hostile = batch!.labelSets.find((set) => nameOf(set) === 'hostile')!;
    expect(labelValue(hostile, '__proto__')).toBe('own');
    expect(labelValue(hostile, 'emoji')).toBe('👩‍👩‍👧 😀');
    expect(labelValue(hostile, 'lone')).toBe('\ufffd');
    expect(labelValue(hostile, 'nul')).toBe('a␀b');
    expect(labelValue(hostile, 'huge')!.length).toBe(200);
    expect(labelValue(hostile, 'object')).toBeUndefined();
    const throwing = batch!.labelSets.find((set) => nameOf(set) === 'throws in part')!;
    expect([labelValue(throwing, 'plan'), labelValue(throwing, 'late')]).toEqual(['pro', 'yes']);
    const all = Object.values(countsByName(sink.stored)).reduce((sum, count) => sum + count, 0);
    expect(all).toBe(1_000 + 8 + 1 + 2); // all, also the one whose labels threw
  });
});
