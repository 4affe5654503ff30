import { NO_PARENT, labelValue } from '@hearth/profile-model';
import type { BatchProfile } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import type { ScopedSamples } from '../samplers/scoped-samples.js';
import { StackTables } from '../samplers/stack-tables.js';
import { wireWithoutSampler } from '../transactions/context-wiring.js';
import type { Transaction } from '../transactions/transaction.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import { TransactionTracker } from '../transactions/transaction-tracker.js';
import { SamplePacker, TIME_STEP_MICROS } from './pack-samples.js';

/** One period: its samples as rows, then packed. */
function pack(
  packer: SamplePacker,
  tracker: TransactionTracker,
  samples: [transaction: Transaction | undefined, micros: number][],
  isLast = false,
) {
  const tables = new StackTables();
  const rows: ScopedSamples[] = samples.map(([scope, micros], at) => ({
    stackRow: tables.stackRow(NO_PARENT, `f${at}`, '', 0),
    scope,
    count: 1,
    wallMicros: micros,
    cpuMicros: micros / 2,
  }));
  const period = tracker.endPeriod();
  const [cpu, wall] = packer.packTime({ rows, lines: 'definition', wasRestarted: false }, tables, period, isLast) as [
    BatchProfile,
    BatchProfile,
  ];
  return { cpu, wall, period, tables };
}
const namesIn = (period: TransactionPeriod, profile: BatchProfile) =>
  [...profile.sampleLabelSet].map((row) => labelValue(period.labelSets.labelSets[row]!, 'transaction'));
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

describe('SamplePacker', () => {
  it('lets the samples of an open transaction wait one period for its route', () => {
    const [packer, tracker] = [new SamplePacker(), new TransactionTracker(wireWithoutSampler())];
    const request = tracker.begin('http', undefined, []);
    const first = pack(packer, tracker, [
      [request, 1_000],
      [undefined, 500],
    ]);
    expect(namesIn(first.period, first.wall)).toEqual([undefined]);
    tracker.nameOnce(request, 'GET /orders/:id');
    tracker.end(request, 'ok');
    const second = pack(packer, tracker, []);
    expect(namesIn(second.period, second.wall)).toEqual(['GET /orders/:id']);
    expect([sum(second.wall.sampleValue), sum(second.cpu.sampleValue), sum(second.wall.sampleCount)]).toEqual([1_000, 500, 1]);
    expect(second.tables.functionTable().name).toEqual(['f0']);
  });

  it('sends them as (unnamed) after that, and counts the transaction so', () => {
    const [packer, tracker] = [new SamplePacker(), new TransactionTracker(wireWithoutSampler())];
    const request = tracker.begin('http', undefined, []);
    pack(packer, tracker, [[request, 100]]);
    const second = pack(packer, tracker, [[request, 100]]);
    expect(namesIn(second.period, second.wall)).toEqual(['(unnamed)']); // what waited, and what came since: it has been sent once, so nothing of it waits any more
    tracker.nameOnce(request, 'GET /late');
    tracker.end(request, 'ok');
    const third = pack(packer, tracker, [], true);
    expect(labelValue(third.period.labelSets.labelSets[third.period.counts[0]!.labelSet]!, 'transaction')).toBe('(unnamed)');
    expect(third.period.lateLabels).toBe(1);
  });

  it('keeps nothing back in the last period', () => {
    const [packer, tracker] = [new SamplePacker(), new TransactionTracker(wireWithoutSampler())];
    const { wall, period } = pack(packer, tracker, [[tracker.begin('http', undefined, []), 100]], true);
    expect(namesIn(period, wall)).toEqual(['(unnamed)']);
  });

  it('conserves time and CPU to the microsecond over periods', () => {
    const [packer, tracker] = [new SamplePacker(), new TransactionTracker(wireWithoutSampler())];
    const third = 10_001 / 3;
    let [wall, cpu] = [0, 0];
    for (let period = 0; period < 30; period += 1) {
      const open = tracker.begin('http', undefined, []);
      const packed = pack(
        packer,
        tracker,
        [
          [undefined, third],
          [open, third],
          [undefined, third],
        ],
        period === 29,
      );
      wall += sum(packed.wall.sampleValue);
      cpu += sum(packed.cpu.sampleValue);
      const step = period === 29 ? 1 : TIME_STEP_MICROS;
      expect([...packed.wall.sampleValue, ...packed.cpu.sampleValue].every((value) => value % step === 0)).toBe(true);
    }
    expect([wall, cpu]).toEqual([300_030, 150_015]);
  });
});
