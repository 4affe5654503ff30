import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { startTestRedis, whyNoRedis, type TestRedis } from '../../../test/support/redis.js';
import { attribution } from './support/attribution.js';
import { PRELOAD, runHost } from './support/run-host.js';
import { Sink, countsByName } from './support/sink.js';

const noRedis = whyNoRedis();
let sink: Sink;
let postgres: TestPostgres;
let redis: TestRedis;
let peer: Server;
beforeAll(async () => {
  if (noRedis !== undefined) return;
  [postgres, redis] = await Promise.all([startTestPostgres(), startTestRedis()]);
  peer = createServer((_, response) => void setTimeout(() => response.end('done'), 2));
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  peer?.close();
  await redis?.stop();
  await postgres?.stop();
});
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());

describe.skipIf(noRedis !== undefined)('samples are their transaction’s', () => {
  it('through promises, timers, streams, emitters, HTTP and the popular pools; a pool that keeps callbacks needs bind', async () => {
    const peerUrl = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
    const { output, errors } = await runHost('carriers.mjs', sink.url, { args: [peerUrl, postgres.url, redis.url] });
    expect(errors).not.toContain('AGENT_FAULT');
    const carriers = JSON.parse(output) as string[];
    const checked = Object.fromEntries(
      carriers.map((carrier) => {
        const names = ['Alpha', 'Beta', 'Gamma'].map((kind) => carrier + kind);
        return [carrier, attribution(sink.stored, Object.fromEntries(names.map((name) => [`${name}Work`, name])))];
      }),
    );
    expect(
      Object.entries(checked)
        .filter(([, { wrong }]) => wrong > 0)
        .map(([carrier]) => carrier),
    ).toEqual(['leaky']);
    // All carriers have one handler, and what the leaky one loses is written outside of it.
    const lost = sink.stored.flatMap(({ series }) => series.filter(({ name }) => /_(wrong|no)_context_count$/.test(name)));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter(({ value }) => value !== 0)).toEqual([]);
    for (const [carrier, { checked: count }] of Object.entries(checked)) expect(count, carrier).toBeGreaterThan(5);
  });
});

it('samples are their transaction’s in the workers of a cluster, each a process of its own', async () => {
  const { output, errors } = await runHost('clustered.mjs', sink.url, { nodeOptions: PRELOAD });
  expect(errors).not.toContain('AGENT_FAULT');
  const { checked, wrong } = attribution(sink.stored, { alphaWork: 'alpha', betaWork: 'beta' });
  expect(checked).toBeGreaterThan(30);
  expect(wrong).toBe(0);
  const counts = countsByName(sink.stored);
  expect((counts['alpha ok'] ?? 0) + (counts['beta ok'] ?? 0)).toBe(Number(output));
  expect(new Set(sink.stored.map(({ process }) => process.id)).size).toBe(3);
});
