import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { labelValue } from '@hearth/profile-model';
import type { Batch } from '@hearth/wire-format';
import { startTestMariadb, whyNoMariadb, type TestMariadb } from '../../../test/support/mariadb.js';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { startTestRedis, whyNoRedis, type TestRedis } from '../../../test/support/redis.js';
import { freePort } from '../../../test/support/server.js';
import { attribution } from './support/attribution.js';
import { MongodbStandIn } from './support/mongodb-stand-in.js';
import { runHost } from './support/run-host.js';
import { Sink, flatSamples, functionRows, nameOf } from './support/sink.js';

const noRedis = whyNoRedis();
let postgres: TestPostgres;
let redis: TestRedis;
let peer: Server;
let peerUrl: string;
let sink: Sink;
beforeAll(async () => {
  if (noRedis !== undefined) return;
  [postgres, redis] = await Promise.all([startTestPostgres(), startTestRedis()]);
  peer = createServer((request, response) => {
    const ms = Number(new URL(request.url!, 'http://peer').searchParams.get('wait'));
    setTimeout(() => response.end('done'), ms);
  });
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  peerUrl = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
});
beforeEach(async () => {
  sink = await new Sink().open();
});
afterEach(() => sink.close());
afterAll(async () => {
  peer?.close();
  await redis?.stop();
  await postgres?.stop();
});

/** Milliseconds of one type by transaction and last function. */
function sumsOf(type: 'wait' | 'awaited'): Record<string, Record<string, number>> {
  const sums: Record<string, Record<string, number>> = {};
  for (const { labels, functionsRootFirst, value } of sink.stored.flatMap((batch) => flatSamples(batch, type))) {
    const ofTransaction = (sums[nameOf(labels)] ??= {});
    const leaf = functionsRootFirst.at(-1) ?? '';
    ofTransaction[leaf] = (ofTransaction[leaf] ?? 0) + value / 1000;
  }
  return sums;
}
const allTexts = ({ functions, labelSets }: Batch) => JSON.stringify([functions.name, labelSets]);
/** What `nameOf` calls it. */
const NO_TRANSACTION = '[]';
const QUERY = 'pg SELECT ? WHERE pg_sleep(?) IS NOT NULL';

/** Of `waits-callbacks.mjs`: each of its three kinds waited for these and nothing else, as long as it says, and no sample is another's. */
function expectCallbacksRight(output: string, error: string, operations: readonly string[]): void {
  const [said, truth] = output.trim().split('\n');
  expect(said).toBe(error);
  const waits = sumsOf('wait');
  for (const [name, ms] of Object.entries(JSON.parse(truth!) as Record<string, number>)) {
    expect(Object.keys(waits[name]!).sort(), name).toEqual(operations);
    const sum = Object.values(waits[name]!).reduce((all, one) => all + one, 0);
    expect(Math.abs(sum - ms), name).toBeLessThan(60); // a query filed under another kind, or twice, would be 90 and more off
  }
  const counts = sink.stored.flatMap((batch) => flatSamples(batch, 'wait')).filter(({ labels }) => nameOf(labels) === 'alpha');
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(9);
  const { checked, wrong } = attribution(sink.stored, { alphaWork: 'alpha', betaWork: 'beta', gammaWork: 'gamma' });
  expect(checked).toBeGreaterThan(15);
  expect(wrong).toBe(0);
}

describe.skipIf(noRedis !== undefined)(`waits${noRedis === undefined ? '' : ` (${noRedis})`}`, () => {
  it('are filed under the transaction that began them, with their true durations, 72 at once', async () => {
    const { output, code } = await runHost('waits.mjs', sink.url, { args: [postgres.url, redis.url, peerUrl] });
    expect(code).toBe(0);
    const truthMs = JSON.parse(output) as Record<string, number>;
    const waits = sumsOf('wait');
    const { [NO_TRANSACTION]: background, ...transactions } = waits;
    expect(Object.fromEntries(Object.entries(transactions).map(([name, leaves]) => [name, Object.keys(leaves).sort()]))).toEqual({
      orders: [QUERY],
      cache: ['ioredis EVAL', 'ioredis SET'],
      peer: ['fetch GET (address)'],
      http: ['http GET (address)'],
      undici: ['fetch GET (address)'],
      file: ['fs readFile'],
      names: ['dns lookup'],
      slept: ['timer setTimeout'],
      beside: ['fetch GET (address)', QUERY],
    });
    expect(background).toHaveProperty(['pg SELECT ?']); // after all transactions
    const awaited = sumsOf('awaited');
    for (const [name, leaves] of Object.entries(transactions)) {
      const sumMs = Object.values(leaves).reduce((sum, ms) => sum + ms, 0);
      const unionMs = awaited[name]!['']!;
      const ranMs = name === 'slept' ? 240 : 0;
      expect(unionMs).toBeLessThanOrEqual(truthMs[name]! + 1);
      // All of them wait for one thing after the other; what is missing is the machine, which is busy.
      expect(truthMs[name]! - ranMs - unionMs, name).toBeLessThan(truthMs[name]! * 0.15 + 20);
      if (name === 'beside') expect(sumMs).toBeGreaterThan(unionMs + 8 * 60);
      else expect(Math.abs(sumMs - unionMs)).toBeLessThan(2);
    }
    const counts = sink.stored.flatMap((batch) => flatSamples(batch, 'wait')).filter(({ labels }) => nameOf(labels) === 'orders');
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(8);
  });

  it('have the functions of the caller above them, across awaits: the same ones as in the CPU profile', async () => {
    await runHost('waits.mjs', sink.url, { args: [postgres.url, redis.url, peerUrl] });
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    const stackOf = (leaf: string) =>
      samples.find(({ functionsRootFirst }) => functionsRootFirst.at(-1) === leaf)!.functionsRootFirst;
    expect(stackOf(QUERY).slice(-2)).toEqual(['loadOrders', QUERY]);
    expect(samples.some(({ functionsRootFirst }) => functionsRootFirst.includes('askPeer'))).toBe(true);
    expect(stackOf('http GET (address)')).toContain('askPeerByHttp');
    expect(samples.some(({ functionsRootFirst }) => functionsRootFirst.includes('askPeerByUndici'))).toBe(true);
    expect(stackOf('ioredis EVAL')).toContain('readCache'); // after its first await
    expect(stackOf('timer setTimeout').slice(-2)).toEqual(['burnAndSleep', 'timer setTimeout']);
    for (const { functionsRootFirst } of samples) {
      expect(functionsRootFirst.length).toBeLessThanOrEqual(17);
      expect(functionsRootFirst).not.toContain('runTransaction');
    }
    const slept = samples.filter(({ functionsRootFirst }) => functionsRootFirst.at(-1) === 'timer setTimeout');
    expect(slept.every(({ labels }) => labelValue(labels, 'span') === 'nap')).toBe(true);
    for (const name of ['burnAndSleep', 'slept']) {
      const rows = (type: 'cpu' | 'wait') => new Set(sink.stored.flatMap((batch) => functionRows(batch, type, name)));
      expect(rows('wait').size).toBe(1);
      expect(rows('wait')).toEqual(rows('cpu'));
    }
  });

  it('say nothing of what was asked for', async () => {
    const { output } = await runHost('waits.mjs', sink.url, { args: [postgres.url, redis.url, peerUrl] });
    expect(output).not.toBe('');
    for (const batch of sink.stored) expect(allTexts(batch)).not.toMatch(/secret|localhost|127\.0\.0\.1/);
  });

  it('know the caller though the pool is full', async () => {
    const { output } = await runHost('waits-pool-full.mjs', sink.url, { args: [postgres.url] });
    const waits = sumsOf('wait');
    for (const [name, ms] of Object.entries(JSON.parse(output) as Record<string, number>)) {
      expect(Object.keys(waits[name]!), name).toEqual(['pg SELECT pg_sleep(?)']);
      expect(Math.abs(waits[name]!['pg SELECT pg_sleep(?)']! - ms), name).toBeLessThan(75); // one that took another's place would be 100 off
    }
    expect(Object.keys(waits['checkout']!)).toEqual(['pg connect']);
    expect(Object.keys(waits['client']!)).toEqual(['pg SELECT ?::text']);
    expect(Object.keys(waits['callback']!)).toEqual(['pg SELECT ?']);
  });

  it('are recorded of calls with callbacks, which run where they were given', async () => {
    const { output, errors } = await runHost('waits-callbacks.mjs', sink.url, { args: ['pg', postgres.url] });
    expect(errors).not.toContain('AGENT_FAULT');
    expectCallbacksRight(output, '42703', ['pg SELECT pg_sleep(?)', 'pg connect']);
  });

  it.each(['require', 'import'])('are found in libraries that the host loads later, by %s', async (how) => {
    const { errors } = await runHost('waits-late.cjs', sink.url, { args: [postgres.url, redis.url, how] });
    expect(errors).not.toContain('AGENT_FAULT');
    expect(Object.keys(sumsOf('wait')['late'] ?? {}).sort()).toEqual(['ioredis GET', 'ioredis pipeline', 'pg SELECT ?']);
  });

  it('are those of each command where ioredis makes a pipeline of several callers', async () => {
    const args = [redis.url];
    const withAgent = await runHost('waits-auto-pipeline.mjs', sink.url, { args });
    expect(withAgent.errors).not.toContain('AGENT_FAULT');
    const { [NO_TRANSACTION]: _background, ...waits } = sumsOf('wait');
    expect(Object.fromEntries(Object.entries(waits).map(([name, leaves]) => [name, Object.keys(leaves).sort()]))).toEqual({
      one: ['ioredis GET'],
      two: ['ioredis GET', 'ioredis STRLEN'],
      called: ['ioredis GET'],
      scripted: ['ioredis EVALSHA'],
      broken: ['ioredis INCR'],
      callback: ['ioredis GET'],
      brokenCallback: ['ioredis INCR'],
      explicit: ['ioredis pipeline'],
      multi: ['ioredis pipeline'],
    });
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    for (const name of Object.keys(waits)) {
      const own = samples.filter(({ labels }) => nameOf(labels) === name);
      expect(
        own.reduce((sum, { count }) => sum + count, 0),
        name,
      ).toBe(name === 'two' ? 2 : 1);
    }
    const one = samples.find(({ labels }) => nameOf(labels) === 'one');
    expect(one!.functionsRootFirst).toContain('readOne');
    const without = await runHost('waits-auto-pipeline.mjs', sink.url, { args, env: { HEARTH_ENABLED: 'off' } });
    expect(JSON.parse(withAgent.output)).toEqual(JSON.parse(without.output));
    expect(withAgent.output).toContain('unhandled');
  });

  it('change nothing in how errors are handled, or are not', async () => {
    const args = [postgres.url, redis.url, `http://127.0.0.1:${await freePort()}`];
    const withAgent = await runHost('waits-rejections.mjs', sink.url, { args });
    const without = await runHost('waits-rejections.mjs', sink.url, { args, env: { HEARTH_ENABLED: 'off' } });
    expect(JSON.parse(withAgent.output)).toEqual(JSON.parse(without.output));
    expect(withAgent.output).toContain('brokenQuery');
    expect(Object.keys(sumsOf('wait')['query'] ?? {})).toEqual(['pg SELECT nothing']);
    expect(Object.keys(sumsOf('wait')['request'] ?? {})).toEqual(['fetch GET (address)']);
  });

  it('are undone at the stop, and do without what the host has frozen', async () => {
    const ours = JSON.parse((await runHost('waits-undone.mjs', sink.url)).output) as Record<string, unknown>;
    expect(ours).toMatchObject({ read: true, left: [], names: [] });
    expect((ours['replaced'] as string[]).length).toBe(10); // all but the two of Error
    const { output, errors } = await runHost('waits-undone.mjs', sink.url, { args: ['frozen'] });
    expect(JSON.parse(output)).toEqual({ read: true, replaced: ['setTimeout'], left: [], names: [] });
    expect(errors).not.toContain('AGENT_FAULT');
  });

  it('are not recorded where they are switched off', async () => {
    await runHost('waits-pool-full.mjs', sink.url, { args: [postgres.url], env: { HEARTH_WAITS: 'off' } });
    expect(sink.stored.flatMap(({ profiles }) => profiles).filter(({ typeId }) => typeId.startsWith('wait:'))).toEqual([]);
  });

  it('are those of ioredis under the functions of BullMQ, whose worker waits for nothing while there is no job', async () => {
    const { errors } = await runHost('waits-bullmq.mjs', sink.url, { args: [redis.url] });
    expect(errors).not.toContain('AGENT_FAULT');
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    const added = samples.filter(({ labels }) => nameOf(labels) === 'order');
    expect(added.some(({ functionsRootFirst }) => functionsRootFirst.includes('addStandardJob'))).toBe(true);
    expect(Object.keys(sumsOf('wait')['order']!)).toContain('ioredis EVALSHA');
    expect(Object.keys(sumsOf('wait')['secret-less-job']!)).toEqual(['ioredis EVALSHA']);
    expect(Object.keys(sumsOf('wait')[NO_TRANSACTION]!)).not.toContain('ioredis BZPOPMIN');
  });
});

describe('waits', () => {
  let slow: Server;
  let slowUrl: string;
  beforeAll(async () => {
    slow = createServer((_request, response) => void setTimeout(() => response.end('done'), 100));
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    slowUrl = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  });
  afterAll(() => slow.close());

  it('are counted once, and not where nothing was waited for', async () => {
    const { output, errors, code } = await runHost('waits-once.mjs', sink.url, { args: [slowUrl] });
    expect(code, errors).toBe(0);
    expect(errors).not.toContain('AGENT_FAULT');
    expect(output).toBe('ERR_INVALID_ARG_TYPE\nof the program\n');
    const counted: Record<string, number> = {};
    for (const { labels, functionsRootFirst, count } of sink.stored.flatMap((batch) => flatSamples(batch, 'wait'))) {
      const key = `${nameOf(labels)}: ${functionsRootFirst.at(-1)}`;
      if (nameOf(labels) !== NO_TRANSACTION) counted[key] = (counted[key] ?? 0) + count;
    }
    expect(counted).toEqual({
      'slept: timer setTimeout': 1,
      'requested: http GET (address)': 1,
      'copied: fs cp': 1,
      'copied by name: fs cp': 1,
    });
  });
});

describe('waits for undici', () => {
  it('know the caller though the pool is full, also of what it asks again', async () => {
    const { output, errors, code } = await runHost('waits-undici.mjs', sink.url, {
      args: [process.env['HEARTH_UNDICI'] ?? 'undici'],
    });
    expect(errors).not.toContain('AGENT_FAULT');
    expect(code, errors).toBe(0);
    const waits = sumsOf('wait');
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    const said = JSON.parse(output) as Record<'truth' | 'mostAtOnce', Record<string, number>>;
    const { fetchOfNode, ...others } = said.mostAtOnce; // a newer Node's does not use the dispatchers of an older undici
    expect(new Set(Object.values(others))).toEqual(new Set([2]));
    expect([2, 6]).toContain(fetchOfNode);
    // Two of six at a time, 100 ms each: what left its time in the queue out, or took another's place, is below or above.
    const leastMs: Record<string, number> = { redirected: 148, retried: 98 };
    for (const [name, ms] of Object.entries(said.truth)) {
      const [way = '', at] = name.split('-');
      expect(Object.keys(waits[name] ?? {}), name).toEqual(['fetch GET (address)']);
      const sum = waits[name]!['fetch GET (address)']!;
      expect(sum, name).toBeGreaterThan(leastMs[way] ?? 98 * (1 + Math.floor(Number(at) / said.mostAtOnce[way]!)));
      expect(sum, name).toBeLessThanOrEqual(ms + 1);
      const own = samples.filter(({ labels }) => nameOf(labels) === name);
      const count = own.reduce((all, one) => all + one.count, 0);
      expect(count, name).toBe(way in leastMs ? 2 : 1);
      if (count === 1) expect(own[0]!.functionsRootFirst, name).toContain(way);
    }
  });
});

const noMariadb = whyNoMariadb();
describe.skipIf(noMariadb !== undefined)(`waits for MariaDB${noMariadb === undefined ? '' : ` (${noMariadb})`}`, () => {
  let mariadb: TestMariadb;
  beforeAll(async () => {
    if (noMariadb === undefined) mariadb = await startTestMariadb();
  });
  afterAll(() => mariadb?.stop());

  it.each(['promise', 'core'])('are recorded of promises of mysql2 (%s), also when its pool is full', async (which) => {
    const { output, errors } = await runHost('waits-mysql.mjs', sink.url, { args: [mariadb.url, which] });
    expect(errors).not.toContain('AGENT_FAULT');
    const [said, truth] = output.trim().split('\n');
    expect(said).toBe('ER_BAD_FIELD_ERROR');
    const waits = sumsOf('wait');
    const leaves = (name: string) => Object.keys(waits[name] ?? {}).sort();
    expect(leaves('execute')).toEqual(['mysql2 SELECT SLEEP(?)']);
    expect(leaves('query')).toEqual(['mysql2 SELECT ?, SLEEP(?)']);
    expect(leaves('connection')).toEqual(['mysql2 COMMIT', 'mysql2 SELECT ? AS a', 'mysql2 START TRANSACTION', 'mysql2 connect']);
    expect(leaves('broken')).toEqual(['mysql2 SELECT secret']);
    for (const [name, ms] of Object.entries(JSON.parse(truth!) as Record<string, number>)) {
      const sum = Object.values(waits[name]!).reduce((all, one) => all + one, 0);
      expect(Math.abs(sum - ms), name).toBeLessThan(75); // one that took another's place would be 100 off
    }
    const loaded = sink.stored.flatMap((batch) => flatSamples(batch, 'wait')).find(({ labels }) => nameOf(labels) === 'execute');
    expect(loaded!.functionsRootFirst).toContain('loadOrders');
  });

  it('are recorded of calls with callbacks, which run where they were given', async () => {
    const { output, errors } = await runHost('waits-callbacks.mjs', sink.url, { args: ['mysql2', mariadb.url] });
    expect(errors).not.toContain('AGENT_FAULT');
    expectCallbacksRight(output, 'ER_BAD_FIELD_ERROR', ['mysql2 SELECT SLEEP(?)', 'mysql2 connect']);
  });
});

describe('waits for MongoDB (a stand-in, with the real driver)', () => {
  let mongodb: MongodbStandIn;
  beforeAll(async () => {
    mongodb = await new MongodbStandIn().open();
  });
  afterAll(() => mongodb.close());

  it.each(['require', 'import'])('are recorded by command and collection, under their callers (%s)', async (how) => {
    const { output, errors, code } = await runHost('waits-mongodb.mjs', sink.url, { args: [mongodb.url, how] });
    expect(errors).not.toContain('AGENT_FAULT');
    expect(code).toBe(0);
    const [said, truth] = output.trim().split('\n');
    expect(said).toBe('MongoServerError 2');
    const waits = sumsOf('wait');
    const { [NO_TRANSACTION]: background, ...transactions } = waits;
    expect(Object.fromEntries(Object.entries(transactions).map(([name, leaves]) => [name, Object.keys(leaves).sort()]))).toEqual({
      find: ['mongodb find orders'],
      findOne: ['mongodb find orders'],
      cursor: ['mongodb find orders', 'mongodb getMore orders'],
      insert: ['mongodb insert orders'],
      insertMany: ['mongodb insert orders'],
      update: ['mongodb update orders'],
      aggregate: ['mongodb aggregate orders'],
      modify: ['mongodb findAndModify orders'],
      command: ['mongodb ping'],
      tenant: ['mongodb find tenant_*.carts'],
      alpha: ['mongodb find alpha'],
      beta: ['mongodb find beta'],
      broken: ['mongodb find orders'],
    });
    // What a change stream waits for is nobody's.
    expect(Object.keys(background!)).toContain('mongodb find orders');
    expect(Object.keys(background!)).not.toContain('mongodb getMore orders');
    for (const [name, ms] of Object.entries(JSON.parse(truth!) as Record<string, number>)) {
      if (name === 'alpha' || name === 'beta') continue;
      const sum = Object.values(waits[name]!).reduce((all, one) => all + one, 0);
      const asleepMs = { find: 60, cursor: 120, command: 0, tenant: 0 }[name] ?? 50;
      expect(sum, name).toBeGreaterThan(asleepMs - 2);
      expect(sum, name).toBeLessThanOrEqual(ms + 1);
    }
    // Six on one connection, one after the other: 60, 120, ... 360 ms, all from their calls.
    const narrow = waits['alpha']!['mongodb find alpha']! + waits['beta']!['mongodb find beta']!;
    expect(narrow).toBeGreaterThan(1_200);
    const samples = sink.stored.flatMap((batch) => flatSamples(batch, 'wait'));
    const stackOf = (name: string) => samples.find(({ labels }) => nameOf(labels) === name)!.functionsRootFirst;
    expect(stackOf('find')).toContain('loadOrders');
    expect(stackOf('alpha')).toContain('alphaWork');
    const counted = (name: string) =>
      samples.filter(({ labels }) => nameOf(labels) === name).reduce((sum, { count }) => sum + count, 0);
    expect([counted('cursor'), counted('insertMany'), counted('alpha')]).toEqual([3, 1, 3]);
    const { wrong } = attribution(sink.stored, { alphaBurn: 'alpha', betaBurn: 'beta' });
    expect(wrong).toBe(0);
    for (const batch of sink.stored) expect(allTexts(batch)).not.toMatch(/secret/);
  });
});
