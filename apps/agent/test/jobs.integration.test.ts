import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestRedis, whyNoRedis } from '../../../test/support/redis.js';
import { attribution } from './support/attribution.js';
import { PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName } from './support/sink.js';

let sink: Sink;
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

describe('BullMQ', () => {
  const whyNot = whyNoRedis();
  it.skipIf(whyNot !== undefined)(
    `makes each job a transaction${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
    async () => {
      const redis = await startTestRedis();
      try {
        const { code, output, errors } = await runHost('bullmq-worker.mjs', sink.url, { args: [redis.url] });
        expect(code, errors).toBe(0);
        expect(JSON.parse(output)).toEqual({ first: 'to 0', last: ['now', 'no such mail'], putBack: 2 });
        expect(countsByName(sink.stored)).toEqual({
          'mail welcome ok': 40,
          'mail invoice ok': 40,
          'mail later ok': 2, // put back once, which is no failure
          'mail unknown error': 1,
        });
        const { checked, wrong } = attribution(sink.stored, { welcomeWork: 'mail welcome', invoiceWork: 'mail invoice' });
        expect(checked).toBeGreaterThan(8);
        expect(wrong / checked).toBeLessThanOrEqual(0.01);
      } finally {
        await redis.stop();
      }
    },
  );

  it.skipIf(whyNot !== undefined)(
    `profiles a processor that is a file in worker threads${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
    async () => {
      const redis = await startTestRedis();
      try {
        const { code, output, errors } = await runHost('bullmq-threads.mjs', sink.url, {
          nodeOptions: PRELOAD,
          args: [redis.url],
        });
        expect(code, errors).toBe(0);
        expect(JSON.parse(output)).toBe(true);
        expect(countsByName(sink.stored)).toEqual({ 'mail welcome ok': 10 });
        const { checked, wrong } = attribution(sink.stored, { sendMail: 'mail welcome' });
        expect(checked).toBeGreaterThan(3);
        expect(wrong).toBe(0);
      } finally {
        await redis.stop();
      }
    },
  );
});

describe('node-cron', () => {
  it('makes each run a transaction, by wrap', async () => {
    const { code, errors } = await runHost('cron-runs.mjs', sink.url);
    expect(code, errors).toBe(0);
    const counts = countsByName(sink.stored);
    expect(Object.keys(counts).sort()).toEqual(['cron clean-up error', 'refreshPrices ok']);
    expect(counts['refreshPrices ok']).toBeGreaterThanOrEqual(2);
    const { checked, wrong } = attribution(sink.stored, { refreshPrices: 'refreshPrices' });
    expect(checked).toBeGreaterThan(3);
    expect(wrong).toBe(0);
  });
});

const RESULTS = {
  results: [{ width: 1 }, 'of the handler', [null, 2], ['bad', null], [null, 6], 3, null, 'silent', { width: 5 }],
  written: [4],
  names: ['resizeImage', 1, 3, 'response'],
};

describe('handlers of Lambda', () => {
  it('give what they give, and have sent each invocation before it ends', async () => {
    const { signal, output, errors } = await runHost('lambda-invocations.mjs', sink.url);
    expect(signal, errors).toBe('SIGKILL');
    expect(JSON.parse(output)).toMatchObject(RESULTS);
    // The last two did not send: one must not, one had no time left.
    expect(countsByName(sink.stored)).toEqual({
      'resize ok': 2,
      'resize error': 1,
      'by callback ok': 1,
      'by callback error': 1,
      'by default parameter ok': 1,
      'promise after all ok': 1,
    });
    expect(sink.stored.length).toBe(7);
  });

  it('are held at most once in a while by a server that does not answer', async () => {
    const silent = createServer(() => undefined); // takes connections, and says nothing
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { code, output, errors } = await runHost(
      'lambda-invocations.mjs',
      `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      {
        args: ['away'],
      },
    );
    silent.close();
    expect(code, errors).toBe(0);
    expect(JSON.parse(output)).toEqual({ ...RESULTS, held: 1 });
  });
});
