import { labelValue } from '@hearth/profile-model';
import type { Batch, Exemplar } from '@hearth/wire-format';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REQUIRE_PRELOAD, runHost } from './support/run-host.js';
import { Sink, functionNames, nameOf, profileOf } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

interface Sent {
  readonly batch: Batch;
  readonly exemplar: Exemplar;
}
const sent = (): Sent[] => sink.stored.flatMap((batch) => batch.exemplars.map((exemplar) => ({ batch, exemplar })));
const named = (name: string): Sent[] => sent().filter(({ exemplar }) => labelValue(exemplar.context, 'transaction') === name);
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe('exemplars', () => {
  it('are the slowest of their name with steps, samples, waits and context', async () => {
    const { output, errors } = await runHost('exemplars.mjs', sink.url);
    expect(errors).not.toContain('AGENT_FAULT');
    expect(output).toContain('done');
    const slowest = named('order').toSorted((a, b) => b.exemplar.durationMicros - a.exemplar.durationMicros)[0]!;
    const { exemplar, batch } = slowest;
    expect(nameOf(batch.labelSets[exemplar.labelSet]!)).toBe('order');
    expect(labelValue(batch.labelSets[exemplar.labelSet]!, 'order')).toBeUndefined();
    expect(exemplar).toMatchObject({ kind: 'custom', outcome: 'ok', traceId: '', spanId: '' });
    expect(Object.fromEntries(exemplar.context)).toEqual({
      transaction: 'order',
      plan: 'pro',
      items: '2-9',
      order: '3',
      user: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      secretToken: '(redacted)',
    });
    expect(exemplar.spans).toMatchObject({
      name: ['load', 'price', 'round', 'fails'],
      parent: Int32Array.of(-1, -1, 1, -1),
      outcome: ['ok', 'ok', 'ok', 'error'],
      inputs: [[['order', '3']], [], [], []],
    });
    const [load, price] = exemplar.spans.durationMicros;
    expect(load).toBeGreaterThan(75_000);
    expect(price).toBeGreaterThan(395_000);
    expect(exemplar.spans.startMicros[1]).toBeGreaterThanOrEqual(exemplar.spans.startMicros[0]! + load!);

    expect(exemplar.sampleCount).toBe(exemplar.samples.stack.length);
    expect(exemplar.sampleCount).toBeGreaterThan(3);
    expect(exemplar.cpuMicros).toBeGreaterThan(10_000);
    expect(Math.abs(exemplar.cpuMicros - sum(exemplar.samples.cpuMicros))).toBeLessThan(exemplar.sampleCount);
    const inPrice = [...exemplar.samples.stack].filter((stack) => functionNames(batch, stack).includes('slowPart'));
    expect(inPrice.length).toBeGreaterThan(exemplar.sampleCount * 0.8);
    [...exemplar.samples.startMicros].forEach((startMicros, at) => {
      expect(startMicros).toBeLessThanOrEqual(exemplar.durationMicros);
      const span = exemplar.samples.span[at]!;
      if (span !== 1) return;
      expect(startMicros).toBeGreaterThanOrEqual(exemplar.spans.startMicros[1]! - 1_000);
      expect(startMicros).toBeLessThanOrEqual(exemplar.spans.startMicros[1]! + price! + 1_000);
    });
    expect([...exemplar.samples.span].filter((span) => span === 1).length).toBeGreaterThan(exemplar.sampleCount * 0.8);

    expect(exemplar.waitCount).toBe(1);
    expect([...exemplar.waits.stack].map((stack) => functionNames(batch, stack).at(-1))).toEqual(['timer setTimeout']);
    expect([...exemplar.waits.span]).toEqual([0]);
    expect(exemplar.waits.durationMicros[0]).toBeGreaterThan(75_000);
    expect(exemplar.awaitedMicros).toBeGreaterThanOrEqual(exemplar.waits.durationMicros[0]! - 1);
  });

  it('hold what a transaction did in all the periods that it ran, and come with the one it ended in', async () => {
    await runHost('exemplars.mjs', sink.url);
    const [{ exemplar, batch }, ...more] = named('long job') as [Sent, ...Sent[]];
    expect(more).toEqual([]);
    const counted = batch.transactions.find(({ labelSet }) => labelSet === exemplar.labelSet)!;
    expect(counted).toMatchObject({ count: 1, durationSumMicros: exemplar.durationMicros, outcome: 'ok' });
    expect(exemplar.spans.name).toEqual(['turn', 'turn', 'turn']);
    expect(exemplar.waits.span).toEqual(Int32Array.of(0, 1, 2));
    const inLong = [...exemplar.samples.stack].map((stack) => functionNames(batch, stack).includes('longPart'));
    for (const row of [0, 1, 2]) {
      expect(inLong.filter((is, at) => is && exemplar.samples.span[at] === row).length).toBeGreaterThan(2);
    }
    // Copies: nothing of them is counted again.
    const wallMs = sum(sink.stored.map((one) => sum(profileOf(one, 'wall')!.sampleValue) / 1_000));
    expect(Math.abs(wallMs / sum(sink.stored.map(({ durationMs }) => durationMs)) - 1)).toBeLessThan(0.1);
  });

  it('are there for transactions without a sample', async () => {
    await runHost('exemplars.mjs', sink.url);
    const [{ exemplar }] = named('without samples') as [Sent];
    expect(exemplar).toMatchObject({ sampleCount: 0, cpuMicros: 0, outcome: 'ok' });
    expect(exemplar.spans.name).toEqual(['nothing']);
  });

  it('carry the trace and span of OpenTelemetry, of a request those of its server span', async () => {
    const { output, errors } = await runHost('opentelemetry.cjs', sink.url, { nodeOptions: REQUIRE_PRELOAD });
    expect(errors).not.toContain('AGENT_FAULT');
    const expected = Object.fromEntries(
      output
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([what, traceId, spanId]) => [what, { traceId, spanId }]),
    );
    expect(Object.keys(expected).toSorted()).toEqual(['DELETE', 'GET', 'POST', 'PUT', 'around', 'inside']);
    const got = Object.fromEntries(
      sent().map(({ exemplar: { context, traceId, spanId } }) => [
        labelValue(context, 'transaction')!.replace(' (no route)', ''),
        { traceId, spanId },
      ]),
    );
    expect(got).toEqual({ ...expected, untraced: { traceId: '', spanId: '' } });
  });

  it('take whatever they are given, within their limits, and the host goes on', async () => {
    const { output, errors } = await runHost('hostile-exemplars.mjs', sink.url);
    expect(output).toBe('results 1,2,3,4,5,done\n');
    expect(errors.match(/AGENT_FAULT/g)!.length).toBeLessThan(5); // said once in a while, not each time
    const [{ exemplar, batch }] = named('hostile') as [Sent];
    expect(exemplar.spans.name).toHaveLength(200);
    expect(exemplar.spans.parent[199]).toBe(198);
    const inputs = exemplar.spans.inputs.flat();
    expect(inputs.length).toBeLessThanOrEqual(200);
    expect(exemplar.spans.inputs[0]).toEqual([
      ['emoji', '👩‍👩‍👧'],
      ['long', `${'x'.repeat(199)}…`],
      ['nul', 'a␀b'],
      ['number', '1'],
      ['small', '10'],
    ]);
    expect(exemplar.context.length).toBeLessThanOrEqual(64);
    expect(labelValue(exemplar.context, 'transaction')).toBe('hostile');
    expect(labelValue(exemplar.context, 'long')).toBe(`${'x'.repeat(199)}…`);
    expect(exemplar.waitCount).toBe(600);
    expect(exemplar.waits.stack).toHaveLength(500);
    expect(batch.exemplars).toHaveLength(64);
    expect(batch.exemplars.every(({ durationMicros }) => durationMicros >= 0)).toBe(true);
  });

  it('are none where the agent is off, and steps still run', async () => {
    const { output } = await runHost('hostile-exemplars.mjs', sink.url, { env: { HEARTH_ENABLED: 'off' } });
    expect(output).toBe('results 1,2,3,4,5,done\n');
    expect(sink.stored).toEqual([]);
  });
});
