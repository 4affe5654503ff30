import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelSet, PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { BATCH_CONTENT_TYPE, encodeBatch, type Batch, WIRE_VERSION } from '@hearth/wire-format';
import type { DataSource } from 'typeorm';
import { until } from '../../../../../test/support/until.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';
import { connectDataSource } from '../../platform/database/index.js';

let postgres: TestPostgres;
let server: TestServer;
let database: DataSource;

beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({
    role: 'api',
    databaseUrl: postgres.url,
    env: { MAX_BATCH_BYTES: '100000', MAX_INFLATED_BYTES: '1000000' },
  });
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await server?.stop();
  await postgres?.stop();
});

function batch(change: Partial<Batch> = {}): Batch {
  return {
    process: {
      id: 'a'.repeat(32),
      service: 'shop',
      environment: 'production',
      startedAtMs: Date.now() - 60_000,
      host: 'h1',
      pid: 7,
      nodeVersion: 'v20.20.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      revision: 'abc123',
      revisionSource: 'git',
      isDirty: false,
      version: '1.0.0',
      rootDir: '/srv/shop',
      labels: [['region', 'eu']],
    },
    sequence: 1,
    startMs: Date.now() - 10_000,
    durationMs: 10_000,
    functions: {
      length: 3,
      name: ['main', 'price', 'price'],
      scriptName: ['file:///srv/shop/src/main.js', 'file:///srv/shop/src/price.js', 'file:///srv/shop/src/price.js'],
      line: Uint32Array.of(1, 10, 20),
    },
    stacks: { length: 3, parent: Int32Array.of(-1, 0, 0), functionRow: Uint32Array.of(0, 1, 2) },
    labelSets: [
      [],
      [
        ['plan', 'free'],
        ['transaction', 'GET /cart'],
      ],
    ],
    profiles: [
      {
        typeId: PROFILE_TYPE_IDS.cpu,
        lines: 'definition',
        sampleStack: Int32Array.of(0, 1, 2),
        sampleLabelSet: Uint32Array.of(0, 1, 1),
        sampleValue: Float64Array.of(1000, 2000, 3000),
        sampleCount: Float64Array.of(1, 2, 3),
      },
    ],
    transactions: [
      {
        labelSet: 1,
        kind: 'http',
        outcome: 'ok',
        count: 4,
        durationSumMicros: 4000,
        sketchBucket: Int32Array.of(100),
        sketchCount: Float64Array.of(4),
      },
    ],
    series: [{ name: 'rss_bytes', value: 1e8 }],
    report: { droppedBatches: 0, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 },
    exemplars: [],
    ...change,
  };
}

async function send(body: Uint8Array | string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}/api/v1/batches`, {
    method: 'POST',
    body: body as BodyInit,
    headers: {
      authorization: `Bearer ${server.key}`,
      'content-type': BATCH_CONTENT_TYPE,
      'content-encoding': 'gzip',
      ...headers,
    },
  });
  const json = (await answer.json()) as { readonly rejected?: readonly { readonly code: string; readonly count: number }[] };
  return { status: answer.status, ...json, retryAfter: answer.headers.get('retry-after') };
}

async function storedBatches(): Promise<number> {
  const [row] = (await database.query(
    'SELECT coalesce(sum(upper(one) - lower(one)), 0)::bigint AS n FROM batch_receipt, unnest(sequences) AS one',
  )) as { n: number }[];
  return row!.n;
}

describe('POST /api/v1/batches', () => {
  it('answers after the commit, and stores a batch that comes twice once', async () => {
    const body = gzipSync(encodeBatch(batch()));
    expect(await send(body)).toMatchObject({ status: 202, accepted: 1, duplicates: 0, rejected: [], commands: [] });
    expect(await send(body)).toMatchObject({ status: 202, accepted: 0, duplicates: 1 });
    const blocks = (await database.query('SELECT count(*) AS n FROM block')) as { n: number }[];
    expect(blocks).toEqual([{ n: 1 }]);
    const [process] = (await database.query('SELECT host, labels, dropped_batches FROM process')) as object[];
    expect(process).toEqual({ host: 'h1', labels: [['region', 'eu']], dropped_batches: 0 });
    expect(await database.query('SELECT source FROM deploy')).toEqual([{ source: 'seen' }]);
  });

  it('takes a body without gzip, and several batches behind each other, whole or as gzip members', async () => {
    const [a, b, c, d] = [10, 11, 12, 13].map((sequence) => encodeBatch(batch({ sequence })));
    expect(await send(Buffer.concat([a!, b!]), { 'content-encoding': 'identity' })).toMatchObject({ status: 202, accepted: 2 });
    expect(await send(Buffer.concat([gzipSync(c!), gzipSync(d!)]))).toMatchObject({ status: 202, accepted: 2 });
  });

  it('stores the neighbours of a bad batch and says what became of each', async () => {
    const good = [20, 21].map((sequence) => encodeBatch(batch({ sequence })));
    const old = encodeBatch(batch({ sequence: 22, startMs: Date.now() - 9 * 86_400_000 }));
    const damaged = encodeBatch(batch({ sequence: 23 }));
    damaged.fill(255, damaged.length - 40);
    const answer = await send(gzipSync(Buffer.concat([good[0]!, old, damaged, good[1]!])));
    expect(answer).toMatchObject({ status: 202, accepted: 2, duplicates: 0 });
    expect(answer.rejected).toEqual(
      expect.arrayContaining([
        { code: 'BATCH_TOO_OLD', count: 1 },
        { code: expect.stringMatching(/^WIRE_/), count: 1 },
      ]),
    );
  });

  it('puts a batch from a clock that is ahead under our time', async () => {
    expect(await send(gzipSync(encodeBatch(batch({ sequence: 30, startMs: Date.now() + 3_600_000 }))))).toMatchObject({
      status: 202,
      accepted: 1,
    });
    const [row] = (await database.query('SELECT max(last_seen_ms) AS "lastSeenMs" FROM process')) as { lastSeenMs: number }[];
    expect(row!.lastSeenMs).toBeLessThan(Date.now() + 60_000);
  });

  const bad: [string, () => Uint8Array | string, Record<string, string>, number, RegExp][] = [
    [
      'a batch that is too old',
      () => gzipSync(encodeBatch(batch({ sequence: 40, startMs: Date.now() - 8 * 86_400_000 }))),
      {},
      400,
      /^BATCH_TOO_OLD$/,
    ],
    ['an empty body', () => '', { 'content-encoding': 'identity' }, 400, /^WIRE_TRUNCATED$/],
    ['no gzip', () => 'not gzip at all', {}, 400, /^GZIP_INVALID$/],
    ['gzip that ends early', () => gzipSync(encodeBatch(batch({ sequence: 41 }))).subarray(0, 80), {}, 400, /^GZIP_INVALID$/],
    [
      'a batch that ends early',
      () => gzipSync(encodeBatch(batch({ sequence: 42 })).subarray(0, 200)),
      {},
      400,
      /^WIRE_(TRUNCATED|LENGTH)$/,
    ],
    ['a foreign format', () => gzipSync('{"resourceProfiles":[]}'), {}, 400, /^WIRE_MAGIC$/],
    ['a gzip bomb', () => gzipSync(Buffer.alloc(50_000_000)), {}, 413, /^INFLATED_TOO_LARGE$/],
    ['one byte above the limit', () => Buffer.alloc(100_001), {}, 413, /^BODY_TOO_LARGE$/],
    [
      'labels that name one long text again and again',
      () => {
        const long = labelSet(Array.from({ length: 60 }, (_, n): [string, string] => [`label${n}`, 'x'.repeat(1024)]));
        return gzipSync(encodeBatch(batch({ sequence: 46, labelSets: Array.from({ length: 4096 }, () => long) })));
      },
      {},
      400,
      /^WIRE_SIZE$/,
    ],
    ['an encoding nobody reads', () => 'x', { 'content-encoding': 'br' }, 415, /^CONTENT_ENCODING_UNSUPPORTED$/],
    ['another content type', () => 'x', { 'content-type': 'application/json' }, 415, /^CONTENT_TYPE_UNSUPPORTED$/],
    [
      'an unknown key',
      () => gzipSync(encodeBatch(batch({ sequence: 43 }))),
      { authorization: 'Bearer nobody' },
      401,
      /^API_KEY_UNKNOWN$/,
    ],
    ['no key', () => gzipSync(encodeBatch(batch({ sequence: 44 }))), { authorization: '' }, 401, /^UNAUTHENTICATED$/],
  ];
  it.each(bad)('refuses %s with a stable code and stores nothing', async (_, body, headers, status, code) => {
    const before = await storedBatches();
    expect(await send(body(), headers)).toMatchObject({
      status,
      code: expect.stringMatching(code),
      type: expect.stringMatching(/^urn:hearth:error:[A-Z_0-9]+$/),
    });
    expect(await storedBatches()).toBe(before);
  });

  it('accepts the last byte below the limit as far as the limit goes', async () => {
    expect(await send(Buffer.alloc(100_000))).toMatchObject({ status: 400, code: 'GZIP_INVALID' });
  });

  it('refuses a batch of a version that does not exist yet', async () => {
    const future = encodeBatch(batch({ sequence: 45 }));
    expect(future[4]).toBe(WIRE_VERSION); // behind the magic
    future[4] = WIRE_VERSION + 1;
    expect(await send(gzipSync(future))).toMatchObject({ status: 400, code: 'WIRE_VERSION' });
  });

  it('keeps names with NUL, quotes, HTML, emoji and __proto__', async () => {
    const names = ['<b>"x"</b>', '😀', '__proto__', `a${String.fromCharCode(0)}b`];
    const labelSets = names.map((name) =>
      labelSet([
        [name, name],
        ['transaction', name],
      ]),
    );
    const answer = await send(
      gzipSync(
        encodeBatch(
          batch({
            sequence: 50,
            labelSets,
            transactions: labelSets.map((_, row) => ({
              labelSet: row,
              kind: 'custom' as const,
              outcome: 'ok' as const,
              count: 1,
              durationSumMicros: 1,
              sketchBucket: Int32Array.of(1),
              sketchCount: Float64Array.of(1),
            })),
          }),
        ),
      ),
    );
    expect(answer).toMatchObject({ status: 202, accepted: 1 });
  });

  it('adds what an agent gave up once, however often its batch comes', async () => {
    const report = { droppedBatches: 3, droppedSamples: 0, lateLabels: 0, foldedLabelSets: 0, restartedSamplers: 0 };
    const process = { ...batch().process, id: 'd'.repeat(32) };
    const body = gzipSync(encodeBatch(batch({ process, report })));
    expect(await send(body)).toMatchObject({ accepted: 1 });
    expect(await send(body)).toMatchObject({ duplicates: 1 });
    expect(await database.query('SELECT dropped_batches FROM process WHERE key = $1', ['d'.repeat(32)])).toEqual([
      { dropped_batches: 3 },
    ]);
  });

  it('asks for the batch again, and learns everything anew, when the database has gone back', async () => {
    const service = 'restored';
    const labelled = (sequence: number, plan: string) =>
      gzipSync(
        encodeBatch(
          batch({
            sequence,
            process: { ...batch().process, id: 'e'.repeat(32), service },
            labelSets: [[['plan', plan]]],
            profiles: [{ ...batch().profiles[0]!, sampleLabelSet: new Uint32Array(3) }],
            transactions: [],
          }),
        ),
      );
    expect(await send(labelled(1, 'free'))).toMatchObject({ status: 202, accepted: 1 });
    // As after a restore from a backup of the moment before.
    const ofService = '(SELECT id FROM service WHERE name = $1)';
    await database.query(`DELETE FROM stack_head WHERE service_id IN ${ofService}`, [service]);
    for (const table of [
      'stack_page',
      'label_set',
      'deploy',
      'process',
      'revision',
      'environment',
      'series_name',
      'service_profile_type',
    ])
      await database.query(`DELETE FROM ${table} WHERE service_id IN ${ofService}`, [service]);
    expect(await send(labelled(2, 'free'))).toMatchObject({ status: 503, code: 'CATALOG_GONE_BACK', retryAfter: '1' });
    expect(await send(labelled(2, 'free'))).toMatchObject({ status: 202, accepted: 1 });
    const known = (await database.query(
      `SELECT (SELECT count(*) FROM process WHERE service_id IN ${ofService}) AS processes, (SELECT count(*) FROM label_set WHERE service_id IN ${ofService}) AS "labelSets",
         (SELECT count(*) FROM stack_page WHERE service_id IN ${ofService}) AS pages, (SELECT count(*) FROM series_name WHERE service_id IN ${ofService}) AS series,
         (SELECT count(*) FROM service_profile_type WHERE service_id IN ${ofService}) AS "profileTypes"`,
      [service],
    )) as object[];
    expect(known).toEqual([{ processes: 1, labelSets: 1, pages: 1, series: 1, profileTypes: 1 }]);
  });

  it('tells senders to wait while the database is away, and stores what they send again', async () => {
    const body = gzipSync(encodeBatch(batch({ sequence: 60 })));
    await database.query('ALTER TABLE batch_receipt RENAME TO batch_receipt_away');
    expect(await send(body)).toMatchObject({ status: 503, code: 'SCHEMA_CHANGED' });
    await database.query('ALTER TABLE batch_receipt_away RENAME TO batch_receipt');
    expect(await send(body)).toMatchObject({ status: 202, accepted: 1 });
    await database.query('CHECKPOINT'); // commits are not waited for here, and this name must not be lost with the next line
    process.kill(postgres.pid(), 'SIGKILL'); // our supervisor starts it again
    const away = await send(body);
    expect(away.status === 202 || (away.status === 503 && away.retryAfter !== null)).toBe(true);
    await until(async () => ((await send(body)).status === 202 ? true : undefined));
  });
});
