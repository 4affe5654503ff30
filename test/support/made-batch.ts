import { NO_PARENT, PROFILE_TYPE_IDS, labelSet } from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';

/** A batch as an agent would send it, whose one sample says which it is: function `batch N` took 1,000 + N microseconds, in transaction `job N`. */
export function madeBatch({ processId, sequence, startMs }: { processId: string; sequence: number; startMs: number }): Batch {
  return {
    process: {
      id: processId,
      service: 'made',
      environment: 'test',
      startedAtMs: startMs - 60_000,
      host: 'here',
      pid: 1,
      nodeVersion: 'v20.0.0',
      agentVersion: '0.0.0',
      rateHz: 99,
      revision: 'made-1',
      revisionSource: 'option',
      isDirty: false,
      version: '1.0.0',
      rootDir: '/srv/made',
      labels: [],
    },
    sequence,
    startMs,
    durationMs: 10_000,
    functions: {
      length: 2,
      name: ['main', `batch ${sequence}`],
      scriptName: ['/srv/made/main.js', '/srv/made/main.js'],
      line: Uint32Array.of(1, 2),
    },
    stacks: { length: 2, parent: Int32Array.of(NO_PARENT, 0), functionRow: Uint32Array.of(0, 1) },
    labelSets: [labelSet({ transaction: `job ${sequence}` })],
    profiles: [
      {
        typeId: PROFILE_TYPE_IDS.cpu,
        lines: 'definition',
        sampleStack: Int32Array.of(1),
        sampleLabelSet: Uint32Array.of(0),
        sampleValue: Float64Array.of(1_000 + sequence),
        sampleCount: Float64Array.of(1),
      },
    ],
    transactions: [
      {
        labelSet: 0,
        kind: 'custom',
        outcome: 'ok',
        count: 1,
        durationSumMicros: 2_000,
        sketchBucket: Int32Array.of(100),
        sketchCount: Float64Array.of(1),
      },
    ],
    series: [{ name: 'rss_bytes', value: 1e6 }],
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
    exemplars: [],
  };
}
