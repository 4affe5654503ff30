import { NO_PARENT, PROFILE_TYPE_IDS, labelValue } from '@hearth/profile-model';
import { MAX_EXEMPLARS, NO_SPAN, type BatchProfile, type Exemplar } from '@hearth/wire-format';
import { describe, expect, it } from 'vitest';
import { Measures } from '../measures/measures.js';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { StackTables } from '../samplers/stack-tables.js';
import { TransactionPeriod } from '../transactions/transaction-period.js';
import { MergedThreads } from './merged-threads.js';
import type { ThreadBatch } from './thread-messages.js';

const measures = new Measures(createGuard(new AgentLog()));

/** One stack, `main` and `work` below it, with 30 microseconds of CPU in a transaction that ran twice. */
function batchOf(fn: string): ThreadBatch {
  const tables = new StackTables();
  const row = tables.stackRow(tables.stackRow(NO_PARENT, 'main', 'main.js', 1), fn, 'work.js', 2);
  return {
    functions: tables.functionTable(),
    stacks: tables.stackTable(),
    labelSets: [[['transaction', 'job']]],
    profiles: [profile(row, 30)],
    transactions: [
      {
        labelSet: 0,
        kind: 'custom',
        outcome: 'ok',
        count: 2,
        durationSumMicros: 50,
        sketchBucket: Int32Array.of(10),
        sketchCount: Float64Array.of(2),
      },
    ],
    series: [{ name: 'agent_cpu_micros', value: 7 }],
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 1, foldedLabelSets: 2, restartedSamplers: 0 },
    exemplars: [],
  };
}

/** One with a sample and a wait in that stack. */
function exemplarOf(stack: number, name: string, durationMicros: number): Exemplar {
  const [zeros, span] = [new Float64Array(1), Int32Array.of(NO_SPAN)];
  return {
    labelSet: 0,
    kind: 'custom',
    outcome: 'ok',
    startMs: 1,
    durationMicros,
    context: [['transaction', name]],
    traceId: '',
    spanId: '',
    spans: {
      name: [],
      parent: new Int32Array(),
      startMicros: new Float64Array(),
      durationMicros: new Float64Array(),
      outcome: [],
      inputs: [],
    },
    samples: { stack: Int32Array.of(stack), startMicros: zeros, wallMicros: zeros, cpuMicros: zeros, span },
    waits: { stack: Int32Array.of(NO_PARENT), startMicros: zeros, durationMicros: zeros, span },
    sampleCount: 1,
    cpuMicros: 0,
    waitCount: 1,
    awaitedMicros: 0,
  };
}

function profile(stack: number, value: number): BatchProfile {
  return {
    typeId: PROFILE_TYPE_IDS.cpu,
    lines: 'definition',
    sampleStack: Int32Array.of(stack),
    sampleLabelSet: Uint32Array.of(0),
    sampleValue: Float64Array.of(value),
    sampleCount: Float64Array.of(3),
  };
}

describe('MergedThreads', () => {
  it('adds up threads of one name, tells others apart, and keeps what the main thread has', () => {
    const merged = new MergedThreads();
    const period = new TransactionPeriod();
    const main = period.rowOfScope(undefined);
    for (const [name, fn] of [
      ['pool', 'work'],
      ['pool', 'work'],
      ['mailer', 'send'],
    ] as const) {
      expect(merged.add(name, batchOf(fn), period, measures)).toBe(0);
    }
    const mainRow = merged.tables.stackRow(NO_PARENT, 'main', 'main.js', 1);
    const [cpu, ...others] = merged.addTo([profile(mainRow, 100)]);
    expect(others).toEqual([]);
    const rows = [...cpu!.sampleStack].map((_, at) => [
      labelValue(period.labelSets.labelSets[cpu!.sampleLabelSet[at]!]!, 'thread'),
      cpu!.sampleValue[at],
      cpu!.sampleCount[at],
    ]);
    expect(main).toBe(0);
    expect(rows).toEqual([
      [undefined, 100, 3],
      ['pool', 60, 6],
      ['mailer', 30, 3],
    ]);
    expect(period.counts.map(({ count, durationSumMicros, sketchCount }) => [count, durationSumMicros, ...sketchCount])).toEqual([
      [4, 100, 4],
      [2, 50, 2],
    ]);
    expect([period.lateLabels, period.labelSets.foldedCount, merged.cpuMicros]).toEqual([3, 6, 21]);
  });

  it('keeps the slowest exemplars of each name and thread, in its own tables', () => {
    const merged = new MergedThreads();
    merged.tables.stackRow(NO_PARENT, 'other', 'main.js', 9); // so that rows differ
    const period = new TransactionPeriod();
    period.rowOfScope(undefined);
    const withExemplars = (fn: string, ...exemplars: Exemplar[]): ThreadBatch => ({ ...batchOf(fn), exemplars });
    merged.add('pool', withExemplars('work', exemplarOf(1, 'job', 50), exemplarOf(0, 'tick', 1)), period, measures);
    merged.add('pool', withExemplars('slow', exemplarOf(1, 'job', 90)), period, measures);
    const exemplars = merged.exemplarsBeside([exemplarOf(0, 'job', 70)]);
    expect(exemplars.map(({ context, durationMicros }) => [labelValue(context, 'thread'), durationMicros])).toEqual([
      ['pool', 90],
      [undefined, 70],
      ['pool', 1],
    ]);
    const [slowest] = exemplars;
    expect(merged.tables.framesRootFirst([slowest!.samples.stack[0]!])[0]!.map(({ name }) => name)).toEqual(['main', 'slow']);
    expect(slowest!.waits.stack[0]).toBe(NO_PARENT);
    expect(labelValue(period.labelSets.labelSets[slowest!.labelSet]!, 'thread')).toBe('pool');
    const many = Array.from({ length: 100 }, (_, at) => exemplarOf(0, `n${at}`, at));
    merged.add('mailer', withExemplars('send', ...many), period, measures);
    expect(merged.exemplarsBeside([])).toHaveLength(MAX_EXEMPLARS);
  });

  it('counts what it has no room for', () => {
    const merged = new MergedThreads();
    const batch = batchOf('work');
    const wall: BatchProfile = { ...profile(0, 5), typeId: PROFILE_TYPE_IDS.wall };
    const huge: ThreadBatch = { ...batch, stacks: { ...batch.stacks, length: 200_001 }, profiles: [wall] };
    expect(merged.add('pool', huge, new TransactionPeriod(), measures)).toBe(3);
    expect(merged.addTo([])).toEqual([]);
  });
});
