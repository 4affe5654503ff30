import { afterEach, expect, it, vi } from 'vitest';
import type { Batch } from '@hearth/wire-format';
import { readEnvironment } from '../options/environment.js';
import { isOptionFault, resolveSettings } from '../options/options.js';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { StackTables } from '../samplers/stack-tables.js';
import { Outbox } from './outbox.js';

const hung = vi.hoisted(() => ({ compress: [] as (() => void)[] }));
vi.mock('node:zlib', async (original) => ({
  ...(await original<object>()),
  gzip: (bytes: Uint8Array, _options: object, done: (fault: null, bytes: Uint8Array) => void): void => {
    hung.compress.push(() => done(null, bytes));
  },
}));

let outbox: Outbox;
afterEach(() => outbox.stop());

function batch(sequence: number): Batch {
  const tables = new StackTables();
  return {
    process: {
      id: 'a'.repeat(32),
      service: 's',
      environment: 'e',
      startedAtMs: 1,
      host: 'h',
      pid: 1,
      nodeVersion: '20',
      agentVersion: '0',
      rateHz: 99,
      revision: '',
      revisionSource: '',
      isDirty: false,
      version: '',
      rootDir: '',
      labels: [],
    },
    sequence,
    startMs: 0,
    durationMs: 1,
    functions: tables.functionTable(),
    stacks: tables.stackTable(),
    labelSets: [],
    profiles: [],
    transactions: [],
    series: [{ name: 'x'.repeat(190), value: 1 }],
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
    exemplars: [],
  };
}

it('keeps no more than the buffer may hold while the thread pool hangs, and counts the rest', async () => {
  const options = { key: 'k', url: 'http://127.0.0.1:9', maxBufferedBytes: 1_000 };
  const settings = resolveSettings(options, readEnvironment({}));
  if (isOptionFault(settings)) throw new Error(settings.message);
  const log = new AgentLog();
  outbox = new Outbox(settings, 'a'.repeat(32), log, createGuard(log), () => {});
  const standsFor = { batches: 1, samples: 3 };
  for (let sequence = 1; sequence <= 100; sequence += 1) outbox.put(batch(sequence), standsFor, 'more-to-come');
  const waiting = hung.compress.length;
  expect(waiting).toBeGreaterThan(1);
  expect(waiting).toBeLessThan(8);
  expect(outbox.takeDropped()).toEqual({ batches: 100 - waiting, samples: 3 * (100 - waiting) });
  for (const compress of hung.compress.splice(0)) compress();
  await new Promise((resolve) => setImmediate(resolve));
  outbox.put(batch(101), standsFor, 'more-to-come');
  expect(hung.compress).toHaveLength(1);
});
