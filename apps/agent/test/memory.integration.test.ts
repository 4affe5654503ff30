import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST_NODE, runHost } from './support/run-host.js';
import { Sink, flatSamples } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

const memoryTypes = () => {
  const types = sink.stored
    .flatMap(({ profiles }) => profiles.map(({ typeId }) => typeId))
    .filter((typeId) => typeId.startsWith('memory:'));
  return [...new Set(types.map((typeId) => typeId.split(':')[1]))].sort();
};

describe('allocations', () => {
  it('are all that was allocated, dead or alive, by who did', async () => {
    const { output } = await runHost('allocates.mjs', sink.url, { args: ['allocations', '3000'] });
    expect(memoryTypes()).toEqual(['alloc_space']);
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'alloc_space'));
    const of = (name: string) =>
      samples.filter(({ functionsRootFirst }) => functionsRootFirst.includes(name)).reduce((sum, { value }) => sum + value, 0);
    const actual = Number(/bytes (\d+)/.exec(output)![1]);
    // A sample stands for half a megabyte, so some hundred of them are within a tenth or so.
    expect((of('makeMuch') + of('makeLittle')) / actual).toBeGreaterThan(0.75);
    expect((of('makeMuch') + of('makeLittle')) / actual).toBeLessThan(1.35);
    expect(of('makeMuch') / of('makeLittle')).toBeGreaterThan(1.8);
    expect(of('makeMuch') / of('makeLittle')).toBeLessThan(5);
    for (const { value, count, labels } of samples)
      expect([Number.isSafeInteger(value), count > 0, labels]).toEqual([true, true, []]);
  });

  it('make V8 collect the whole heap once a period only where it has no other way to give them', async () => {
    const knowsBetter = spawnSync(HOST_NODE, ['-p', "typeof require('v8').startHeapProfile"]).stdout.toString() === 'function\n';
    await runHost('allocates.mjs', sink.url, { args: ['allocations', '3500', '400'] });
    const collected = sink.stored.map(({ series }) => series.find(({ name }) => name === 'gc_major_count')?.value ?? 0);
    const inTheMiddle = collected.slice(1, -1); // V8 collects for itself while the program is loaded
    expect(inTheMiddle.length).toBeGreaterThan(1);
    expect(inTheMiddle).toEqual(inTheMiddle.map(() => (knowsBetter ? 0 : 1)));
  });

  it('are not sampled beside what is in use: it is one or the other, or neither', async () => {
    await runHost('allocates.mjs', sink.url, { args: ['in-use', '1500'] });
    expect(memoryTypes()).toEqual(['inuse_objects', 'inuse_space']);
    const inUse = sink.stored.flatMap((batch) => flatSamples(batch, 'inuse_space'));
    expect(Math.max(...inUse.map(({ value }) => value))).toBeLessThan(20e6); // the garbage is not in it
    sink.stored.length = 0;
    await runHost('allocates.mjs', sink.url, { args: ['off', '700'] });
    expect(sink.stored.length).toBeGreaterThan(0);
    expect(memoryTypes()).toEqual([]);
  });
});

describe('the heap after a collection', () => {
  it('is told of periods that had a full one', async () => {
    await runHost('collects.mjs', sink.url, { nodeOptions: ['--expose-gc'] });
    const after = sink.stored.map(({ series }) => series.find(({ name }) => name === 'heap_after_gc_bytes')?.value);
    const used = sink.stored.map(({ series }) => series.find(({ name }) => name === 'heap_used_bytes')!.value);
    const [first] = after.filter((value) => value !== undefined);
    expect(first).toBeGreaterThan(1e6);
    expect(first).toBeLessThan(Math.max(...used));
  });
});
