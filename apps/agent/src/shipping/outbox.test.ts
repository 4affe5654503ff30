import { afterEach, expect, it, vi } from 'vitest';
import { madeBatch } from '../../../../test/support/made-batch.js';
import { readEnvironment } from '../options/environment.js';
import { isOptionFault, resolveSettings } from '../options/options.js';
import { AgentLog } from '../safety/agent-log.js';
import { createGuard } from '../safety/guard.js';
import { Outbox } from './outbox.js';

const hung = vi.hoisted(() => ({ compress: [] as (() => void)[] }));
vi.mock('node:zlib', async (original) => ({
  ...(await original<object>()),
  gzip: (bytes: Uint8Array, _options: object, done: (fault: null, bytes: Uint8Array) => void): void => {
    hung.compress.push(() => done(null, bytes));
  },
}));

const processId = 'a'.repeat(32);
let outbox: Outbox;
afterEach(() => outbox.stop());

it('keeps no more than the buffer may hold while the thread pool hangs, and counts the rest', async () => {
  const options = { key: 'k', url: 'http://127.0.0.1:9', maxBufferedBytes: 1_000 };
  const settings = resolveSettings(options, readEnvironment({}));
  if (isOptionFault(settings)) throw new Error(settings.message);
  const log = new AgentLog();
  outbox = new Outbox(settings, processId, log, createGuard(log), () => {});
  const standsFor = { batches: 1, samples: 3 };
  for (let sequence = 1; sequence <= 100; sequence += 1)
    outbox.put(madeBatch({ processId, sequence, startMs: 60_000 }), standsFor, 'more-to-come');
  const waiting = hung.compress.length;
  expect(waiting).toBeGreaterThan(1);
  expect(waiting).toBeLessThan(8);
  expect(outbox.takeDropped()).toEqual({ batches: 100 - waiting, samples: 3 * (100 - waiting) });
  for (const compress of hung.compress.splice(0)) compress();
  await new Promise((resolve) => setImmediate(resolve));
  outbox.put(madeBatch({ processId, sequence: 101, startMs: 60_000 }), standsFor, 'more-to-come');
  expect(hung.compress).toHaveLength(1);
});
