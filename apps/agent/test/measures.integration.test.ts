import { DurationSketch, labelValue } from '@hearth/profile-model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHost } from './support/run-host.js';
import { Sink, flatSamples, nameOf } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

interface Measured {
  count: number;
  readonly sketch: DurationSketch;
}

/** What was counted of each snippet, by `name outcome`. */
function measured(): Record<string, Measured> {
  const all: Record<string, Measured> = {};
  for (const { transactions, labelSets } of sink.stored)
    for (const { labelSet, kind, outcome, count, sketchBucket, sketchCount } of transactions) {
      const name = labelValue(labelSets[labelSet]!, 'measure');
      expect(name !== undefined).toBe(kind === 'measure');
      if (name === undefined) continue;
      const one = (all[`${name} ${outcome}`] ??= { count: 0, sketch: new DurationSketch() });
      one.count += count;
      one.sketch.merge(DurationSketch.fromBuckets(sketchBucket, sketchCount));
    }
  return all;
}

describe('measure', () => {
  it('counts and times snippets, and changes nothing else of what is measured', async () => {
    const { code, output, errors } = await runHost('measures.mjs', sink.url);
    expect(errors).not.toContain('AGENT_FAULT');
    expect({ code, output }).toEqual({ code: 0, output: 'not measured yet,50005000,later,now,not measured any more\n' });
    const all = measured();
    const count = (key: string): number | undefined => all[key]?.count;
    expect(count('small ok')).toBe(10_000);
    expect(count('threaded ok')).toBe(200);
    expect([count('fails error'), count('fails ok'), count('late ok')]).toEqual([2, undefined, undefined]);
    const microsOf = (key: string): number => all[key]!.sketch.quantile(0.5) / 1_000;
    expect(microsOf('slow ok')).toBeGreaterThan(48_000);
    expect(microsOf('busy ok')).toBeGreaterThan(197_000);
    expect(microsOf('small ok')).toBeGreaterThan(0);
    expect(microsOf('small ok')).toBeLessThan(20);
    // 200 names, the rest together.
    const names = new Set(Object.keys(all).map((key) => key.slice(0, key.lastIndexOf(' '))));
    expect(names.size).toBe(201);
    const known = [...names].filter((name) => name.startsWith('name ')).length;
    expect(count('(other) ok')).toBe(250 - known);
    // Samples stay where they were, and transactions have all their label sets.
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wall'));
    expect(samples.some(({ labels }) => nameOf(labels) === 'job')).toBe(true);
    expect(samples.every(({ labels }) => labelValue(labels, 'measure') === undefined)).toBe(true);
    for (const { report } of sink.stored) expect(report.foldedLabelSets).toBe(0);
  });
});
