import { labelSet, NO_PARENT } from '@hearth/profile-model';
import type { Batch, Exemplar } from '@hearth/wire-format';
import { madeBatch } from './made-batch.js';

/**
 * A slow run of the first label set of a batch of `madeBatch`, on its stacks: of 50 ms it ran twice, in its span `load` and in `parse` within that one, and
 * waited 20 ms for row 0.
 */
export function madeExemplar(change: Partial<Exemplar> = {}): Exemplar {
  return {
    labelSet: 0,
    kind: 'custom',
    outcome: 'ok',
    startMs: 0,
    durationMicros: 50_000,
    context: labelSet({ order: '4711', transaction: 'job' }),
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    spans: {
      name: ['load', 'parse'],
      parent: Int32Array.of(-1, 0),
      startMicros: Float64Array.of(1_000, 30_000),
      durationMicros: Float64Array.of(45_000, 10_000),
      outcome: ['ok', 'error'],
      inputs: [labelSet({ items: '12' }), []],
    },
    samples: {
      stack: Int32Array.of(1, 1),
      startMicros: Float64Array.of(2_000, 32_000),
      wallMicros: Float64Array.of(10_100, 10_100),
      cpuMicros: Float64Array.of(10_000, 9_000),
      span: Int32Array.of(0, 1),
    },
    waits: {
      stack: Int32Array.of(0),
      startMicros: Float64Array.of(12_100),
      durationMicros: Float64Array.of(19_900),
      span: Int32Array.of(0),
    },
    sampleCount: 2,
    cpuMicros: 19_000,
    waitCount: 1,
    awaitedMicros: 19_900,
    ...change,
  };
}

/** A batch of one function, called by `main`, in transaction `job` with the plan `pro`. */
export function exemplarBatch(made: Parameters<typeof madeBatch>[0], ...exemplars: readonly Exemplar[]): Batch {
  return {
    ...madeBatch(made),
    functions: {
      length: 2,
      name: ['main', 'work'],
      scriptName: ['/srv/made/main.js', '/srv/made/node_modules/queue/index.js'],
      line: Uint32Array.of(1, 2),
    },
    stacks: { length: 2, parent: Int32Array.of(NO_PARENT, 0), functionRow: Uint32Array.of(0, 1) },
    labelSets: [labelSet({ transaction: 'job', plan: 'pro' })],
    exemplars: exemplars.map((one) => ({ ...one, startMs: one.startMs || made.startMs })),
  };
}
