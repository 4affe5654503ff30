import { DurationSketch } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { MAX_MEASURES, Measures, OTHER_MEASURES } from './measures.js';
import { withMeasures } from './pack-measures.js';

const newMeasures = (): Measures => new Measures(createGuard(new AgentLog()));
const countsOf = (measures: Measures): Record<string, number> =>
  Object.fromEntries(measures.endPeriod().map(({ name, counted }) => [`${name} ${counted.outcome}`, counted.count]));

describe('Measures', () => {
  it('gives what the function gives, and counts how it ended', async () => {
    const measures = newMeasures();
    const failure = new Error('of the host');
    const value = {};
    expect(measures.run('parse', () => value)).toBe(value);
    expect(measures.run('parse', () => undefined)).toBeUndefined();
    expect(() =>
      measures.run('parse', () => {
        throw failure;
      }),
    ).toThrow(failure);
    await expect(measures.run('load', async () => value)).resolves.toBe(value);
    await expect(measures.run('load', async () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(measures.run('load', async () => Promise.reject(new DOMException('', 'TimeoutError')))).rejects.toThrow(
      DOMException,
    );
    expect(countsOf(measures)).toEqual({ 'parse ok': 2, 'parse error': 1, 'load ok': 1, 'load error': 1, 'load timeout': 1 });
    expect(measures.endPeriod()).toEqual([]);
  });

  it('counts a promise when it settles, in nanoseconds within 1 %', async () => {
    const measures = newMeasures();
    let resolve: () => void = () => {};
    const before = performance.now();
    const running = measures.run('wait', () => new Promise<void>((settled) => (resolve = settled)));
    expect(measures.endPeriod()).toEqual([]);
    await new Promise((turned) => setTimeout(turned, 20));
    resolve();
    await running;
    const longestNanos = (performance.now() - before) * 1e6;
    const [{ counted } = expect.fail('no count')] = measures.endPeriod();
    expect(counted.durationSumMicros).toBeGreaterThan(18e6);
    expect(counted.durationSumMicros).toBeLessThanOrEqual(longestNanos);
    const median = DurationSketch.fromBuckets(counted.sketchBucket, counted.sketchCount).quantile(0.5);
    expect(Math.abs(median / counted.durationSumMicros - 1)).toBeLessThan(0.01);
  });

  it('keeps the first names of a process, for its life, and counts the rest together', () => {
    const measures = newMeasures();
    for (let period = 0; period < 2; period += 1) {
      for (let at = 0; at < MAX_MEASURES + 2; at += 1) measures.run(`name ${at}`, () => at);
      const counts = countsOf(measures);
      expect(Object.keys(counts)).toHaveLength(MAX_MEASURES + 1);
      expect([counts[`name ${MAX_MEASURES - 1} ok`], counts[`${OTHER_MEASURES} ok`]]).toEqual([1, 2]);
    }
  });

  it('takes any name, and cuts long ones', () => {
    const measures = newMeasures();
    for (const name of [undefined, null, {}, Symbol('s'), '', 7, 'x'.repeat(10_000), `${'x'.repeat(300)}y`])
      measures.run(name, () => 1);
    const counts = countsOf(measures);
    expect(counts['(unnamed) ok']).toBe(5);
    expect(counts['7 ok']).toBe(1);
    expect(counts[`${'x'.repeat(199)}… ok`]).toBe(2);
  });

  it('adds what other threads have counted', () => {
    const [thread, main] = [newMeasures(), newMeasures()];
    thread.run('parse', () => 1);
    main.run('parse', () => 1);
    for (const { name, counted } of thread.endPeriod()) main.addCounted(name, { ...counted, labelSet: 0 });
    const [{ counted } = expect.fail('no count')] = main.endPeriod();
    expect([counted.count, [...counted.sketchCount].reduce((sum, count) => sum + count)]).toEqual([2, 2]);
  });
});

it('withMeasures gives each name one label set, behind those that are there', () => {
  const measures = newMeasures();
  measures.run('a', () => 1);
  expect(() =>
    measures.run('a', () => {
      throw new Error('of the host');
    }),
  ).toThrow('of the host');
  measures.run('b', () => 1);
  const { labelSets, transactions } = withMeasures(
    { labelSets: [[['transaction', 'job']]], transactions: [] },
    measures.endPeriod(),
  );
  expect(labelSets).toEqual([[['transaction', 'job']], [['measure', 'a']], [['measure', 'b']]]);
  expect(transactions.map(({ labelSet, outcome }) => [labelSet, outcome])).toEqual([
    [1, 'ok'],
    [1, 'error'],
    [2, 'ok'],
  ]);
});
