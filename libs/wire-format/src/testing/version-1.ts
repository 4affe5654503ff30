import { NO_PARENT, PROFILE_TYPE_IDS, labelSet } from '@hearth/profile-model';
import type { Batch } from '../batch.js';

/** What every fixture of a released version holds, but for what came with later versions. */
export const version1: Batch = {
  process: {
    id: '0123456789abcdef0123456789abcdef',
    service: 'shop',
    environment: 'production',
    startedAtMs: 1_763_600_000_000,
    host: 'pod-1',
    pid: 42,
    nodeVersion: 'v20.20.2',
    agentVersion: '0.1.0',
    rateHz: 99,
    revision: '3f2a9bc',
    revisionSource: 'git',
    isDirty: false,
    version: '1.2.0',
    rootDir: '/srv/shop',
    labels: labelSet({ region: 'eu-1' }),
  },
  sequence: 7,
  startMs: 1_763_600_010_000,
  durationMs: 10_000,
  functions: {
    length: 2,
    name: ['main', ''],
    scriptName: ['file:///srv/shop/src/main.js', 'file:///srv/shop/src/price.js'],
    line: Uint32Array.of(1, 20),
  },
  stacks: { length: 2, parent: Int32Array.of(NO_PARENT, 0), functionRow: Uint32Array.of(0, 1) },
  labelSets: [labelSet({ transaction: 'GET /cart' })],
  profiles: [
    {
      typeId: PROFILE_TYPE_IDS.cpu,
      lines: 'definition',
      sampleStack: Int32Array.of(1),
      sampleLabelSet: Uint32Array.of(0),
      sampleValue: Float64Array.of(10_100),
      sampleCount: Float64Array.of(1),
    },
  ],
  transactions: [
    {
      labelSet: 0,
      kind: 'http',
      outcome: 'ok',
      count: 1,
      durationSumMicros: 20_000,
      sketchBucket: Int32Array.of(100),
      sketchCount: Float64Array.of(1),
    },
  ],
  series: [{ name: 'rss_bytes', value: 123_456_789 }],
  report: { droppedBatches: 1, droppedSamples: 2, lateLabels: 3, foldedLabelSets: 4, restartedSamplers: 5 },
  exemplars: [],
};
