import { NO_PARENT } from '@hearth/profile-model';
import type { Batch, BatchProfile, RecordedLines } from '@hearth/wire-format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHost } from './support/run-host.js';
import { Sink, countsByName, nameOf } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
  sink.offered = [{ id: '1', kind: 'record-lines', durationMs: 3_000 }];
});
afterEach(() => sink.close());

const isOf = (lines: RecordedLines, type: 'cpu' | 'wall') => (profile: BatchProfile) =>
  profile.lines === lines && profile.typeId.split(':')[1] === type;
const profiles = (lines: RecordedLines, type: 'cpu' | 'wall') =>
  sink.stored.flatMap((batch) => batch.profiles.filter(isOf(lines, type)).map((profile) => ({ batch, profile })));
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const valueOf = (found: ReturnType<typeof profiles>): number => sum(found.flatMap(({ profile }) => [...profile.sampleValue]));

/** Value of the samples whose leaf, or its nearest caller in the host's file, is on each line. */
function byLine({ stacks, functions }: Batch, { sampleStack, sampleValue }: BatchProfile): Record<number, number> {
  const values: Record<number, number> = {};
  sampleStack.forEach((stack, at) => {
    let row = stack;
    while (row !== NO_PARENT && !functions.scriptName[stacks.functionRow[row]!]!.endsWith('lines.mjs')) row = stacks.parent[row]!;
    const line = row === NO_PARENT ? 0 : functions.line[stacks.functionRow[row]!]!;
    values[line] = (values[line] ?? 0) + sampleValue[at]!;
  });
  return values;
}

describe('lines', () => {
  it('are recorded when the server asks, once, for as long as it asks, and nothing is lost around them', async () => {
    // V8 names the caller's line for loops that were compiled while they ran, before lines were asked for: without, the shares are ours to answer for.
    const nodeOptions = ['--no-use-osr'];
    const { output, errors } = await runHost('lines.mjs', sink.url, { args: ['7000'], nodeOptions });
    const recorded = profiles('call-site', 'cpu');
    const recordedMs = sum(recorded.map(({ batch }) => batch.durationMs));
    expect(recordedMs).toBeGreaterThan(2_500);
    expect(recordedMs).toBeLessThan(4_500);
    const kinds = sink.stored.map(({ profiles: [first] }) => first!.lines);
    expect([...kinds.join(' ').matchAll(/definition call-site/g)]).toHaveLength(1); // offered with every answer, done once
    expect(kinds.at(-1)).toBe('definition');
    expect(errors).toContain('AGENT_RECORDS_LINES');

    const lines: Record<number, number> = {};
    for (const { batch, profile } of recorded)
      for (const [line, value] of Object.entries(byLine(batch, profile)))
        lines[Number(line)] = (lines[Number(line)] ?? 0) + value;
    expect(lines[7]!).toBeGreaterThan(lines[8]!);
    expect(lines[8]!).toBeGreaterThan(0);

    // Time and CPU are conserved, whichever profiler ran.
    const durationMicros = sum(sink.stored.map(({ durationMs }) => durationMs * 1_000));
    expect(
      Math.abs((valueOf(profiles('call-site', 'wall')) + valueOf(profiles('definition', 'wall'))) / durationMicros - 1),
    ).toBeLessThan(0.1);
    const cpuMicros = valueOf(recorded) + valueOf(profiles('definition', 'cpu'));
    const processMicros = sum(
      sink.stored.flatMap(({ series }) =>
        series.filter(({ name }) => /^cpu_(user|system)_micros$/.test(name)).map(({ value }) => value),
      ),
    );
    expect(cpuMicros).toBeLessThanOrEqual(processMicros * 1.02);
    expect(cpuMicros).toBeGreaterThan(processMicros * 0.6);

    // Transactions are followed and counted all the time; only samples with lines belong to none.
    expect(countsByName(sink.stored)).toEqual({ 'checkout ok': Number(/runs (\d+)/.exec(output)![1]) });
    const counted = sink.stored.flatMap(({ transactions, labelSets }) =>
      transactions.map(({ labelSet }) => labelSets[labelSet]!),
    );
    // Each switch sends one that runs as it is: its late tag is counted as late.
    expect(counted.filter((labels) => labels.some(([name]) => name === 'plan')).length).toBeGreaterThan(3);
    for (const { batch, profile } of recorded)
      expect([...profile.sampleLabelSet].map((row) => batch.labelSets[row])).toEqual([...profile.sampleLabelSet].map(() => []));
    const after = profiles('definition', 'cpu').filter(({ batch }) => batch.sequence > recorded.at(-1)!.batch.sequence);
    const names = after.flatMap(({ batch, profile }) => [...profile.sampleLabelSet].map((row) => nameOf(batch.labelSets[row]!)));
    expect(names).toContain('checkout');
  });

  it('are sent too when the process ends meanwhile', async () => {
    const { code } = await runHost('lines.mjs', sink.url, { args: ['2500'] });
    expect(code).toBe(0);
    expect(sink.stored.at(-1)!.profiles[0]!.lines).toBe('call-site');
  });

  for (const end of ['stop', 'by itself']) {
    it(`lose nothing of worker threads when the agent ends meanwhile (${end})`, async () => {
      sink.offered = [{ id: '1', kind: 'record-lines', durationMs: 60_000 }];
      const { output, errors } = await runHost('lines-beside-worker.mjs', sink.url, { args: [end] });
      expect(errors).toContain('AGENT_RECORDS_LINES');
      expect(errors).not.toContain('AGENT_FAULT');
      expect(countsByName(sink.stored)).toEqual({ 'job ok': Number(output) });
    });
  }

  it('are not recorded where the host has said so, nor for another process, nor for a command that is none', async () => {
    const kinds = () => new Set(sink.stored.flatMap((batch) => batch.profiles.map(({ lines }) => lines)));
    await runHost('lines.mjs', sink.url, { args: ['2000'], env: { HEARTH_REMOTE: 'off' } });
    expect(kinds()).toEqual(new Set(['definition']));
    sink.stored.length = 0;
    const command = { id: '1', kind: 'record-lines', durationMs: 3_000 };
    sink.offered = [{ process: 'other' }, { kind: 'run-code' }, { durationMs: 'long' }].map((wrong) => ({
      ...command,
      ...wrong,
    }));
    await runHost('lines.mjs', sink.url, { args: ['2000'] });
    expect(kinds()).toEqual(new Set(['definition']));
  });
});
