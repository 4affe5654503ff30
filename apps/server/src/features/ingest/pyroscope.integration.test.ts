import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startTestServer, type TestServer } from '../../../../../test/support/server.js';
import { connectDataSource } from '../../platform/database/index.js';

const fixtures = path.resolve(import.meta.dirname, '../../../../../libs/profile-formats/fixtures/pyroscope-ingest');
const bodyOf = (version: string, number: string) => readFileSync(path.join(fixtures, `nodejs-v${version}-${number}.body.bin`));
/** What 0.6.4 and 0.4.5 send as the name, as recorded. */
const NAME_064 =
  'checkout.api{otel.scope.name=com.grafana.pyroscope/nodejs,otel.scope.version=0.6.4,process.runtime.name=nodejs,process.runtime.version=20.20.2,region=eu-1,pod=p "q",service_git_ref=abc123}';
const NAME_045 = 'legacy.api{region=eu-1,pod=p "q",x}';

let postgres: TestPostgres;
let server: TestServer;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await startTestServer({ role: 'api', databaseUrl: postgres.url });
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await server?.stop();
  await postgres?.stop();
});

async function push(url: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
  const answer = await fetch(server.url + url, {
    method: 'POST',
    body: body as BodyInit,
    headers: { authorization: `Basic ${Buffer.from(`u:${server.key}`).toString('base64')}`, ...headers },
  });
  const json = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, ...json };
}

const now = () => Math.floor(Date.now() / 1000);
/** One range for all: a level is averaged over the life of its process, which is what was pushed of it. */
const range = { from: String(now() - 20), until: String(now() - 10) };
const query = (name: string, more: Record<string, string> = {}) =>
  `?${new URLSearchParams({ ...range, name, spyName: 'nodespy', ...more }).toString()}`;

async function sumOf(service: string, type: string): Promise<{ sum: number; samples: number }> {
  const answer = await fetch(`${server.url}/api/v1/functions?${new URLSearchParams({ service, type }).toString()}`, {
    headers: { authorization: `Bearer ${server.key}` },
  });
  return (await answer.json()) as { sum: number; samples: number };
}

async function blocks(): Promise<number> {
  return ((await database.query('SELECT count(*) AS n FROM block')) as { n: number }[])[0]!.n;
}

describe('Pyroscope clients', () => {
  it('push a raw pprof body (0.6.4): every value type is stored to the unit, the tags name revision and runtime', async () => {
    const raw = { 'content-type': 'application/octet-stream' };
    expect(await push(`/ingest${query(NAME_064, { format: 'pprof', sampleRate: '400' })}`, bodyOf('0.6.4', '001'), raw)).toEqual({
      status: 200,
    });
    expect(await push(`/ingest${query(NAME_064, { format: 'pprof' })}`, bodyOf('0.6.4', '002'), raw)).toEqual({ status: 200 });
    expect(await sumOf('checkout.api', 'wall')).toMatchObject({ sum: 432_288, samples: 419 }); // 432,288,000 ns in the file
    expect((await sumOf('checkout.api', 'cpu')).sum).toBe(359_462); // 359,462,382 ns
    expect((await sumOf('checkout.api', 'inuse_space')).sum).toBe(159_371_968);
    const [row] = (await database.query(
      `SELECT revision.name AS revision, environment.name AS environment, node_version, process.labels FROM process
       JOIN revision ON revision.id = revision_id JOIN environment ON environment.id = environment_id JOIN service ON service.id = process.service_id WHERE service.name = 'checkout.api'`,
    )) as object[];
    expect(row).toMatchObject({
      revision: 'abc123',
      environment: 'default',
      node_version: 'v20.20.2',
      labels: expect.arrayContaining([
        ['pod', 'p "q"'],
        ['region', 'eu-1'],
      ]),
    });
  });

  it('push a multipart body without format (0.4.5), with a comma in a tag', async () => {
    for (const [number, boundary] of [
      ['001', '----formdata-undici-080073665160'],
      ['002', '----formdata-undici-008944530166'],
    ] as const) {
      const url = `/pyroscope/ingest${query(NAME_045, number === '001' ? { sampleRate: '400' } : {})}`;
      expect(await push(url, bodyOf('0.4.5', number), { 'content-type': `multipart/form-data; boundary=${boundary}` })).toEqual({
        status: 200,
      });
    }
    expect(await sumOf('legacy.api', 'wall')).toMatchObject({ sum: 960_000, samples: 254 });
    expect((await sumOf('legacy.api', 'inuse_space')).sum).toBe(77_994_329);
    const [row] = (await database.query(
      "SELECT labels FROM process JOIN service ON service.id = service_id WHERE service.name = 'legacy.api'",
    )) as object[];
    expect(row).toEqual({
      labels: [
        ['pod', 'p "q",x'],
        ['region', 'eu-1'],
      ],
    });
  });

  it('may send the same again: it is stored once', async () => {
    const url = `/ingest${query('again', { format: 'pprof' })}`;
    const before = await blocks();
    for (let times = 0; times < 2; times += 1) expect((await push(url, bodyOf('0.6.4', '001'))).status).toBe(200);
    expect(await blocks()).toBe(before + 2); // wall and cpu, once
  });

  it('push folded stacks and lines; at a sample rate they become CPU time', async () => {
    expect(
      (await push(`/ingest${query('folded', { format: 'folded', sampleRate: '100' })}`, 'main;read 3\nmain;parse 1\n')).status,
    ).toBe(200);
    expect(
      (await push(`/ingest${query('lines', { format: 'lines', sampleRate: '100' })}`, 'main;read\nmain;read\nmain;parse\n'))
        .status,
    ).toBe(200);
    expect(await sumOf('folded', 'cpu')).toMatchObject({ sum: 40_000, samples: 4 });
    expect(await sumOf('lines', 'cpu')).toMatchObject({ sum: 30_000, samples: 3 });
  });

  const bad: [string, () => [string, Uint8Array | string, Record<string, string>?], number, string][] = [
    ['no name', () => [`/ingest?format=pprof`, bodyOf('0.6.4', '001')], 400, 'PYROSCOPE_NAME'],
    ['a format that is not read', () => [`/ingest${query('a', { format: 'jfr' })}`, 'FLR'], 415, 'PYROSCOPE_FORMAT'],
    ['a file that ends early', () => [`/ingest${query('a')}`, bodyOf('0.6.4', '001').subarray(0, 300)], 400, 'FORMAT_GZIP'],
    ['a foreign file', () => [`/ingest${query('a')}`, '%PDF-1.7 not a profile'], 400, 'FOLDED_COUNT'],
    ['a gzip bomb', () => [`/ingest${query('a')}`, gzipSync(Buffer.alloc(200_000_000))], 400, 'FORMAT_LIMIT'],
    [
      'multipart without the part',
      () => [
        `/ingest${query('a')}`,
        '--x\r\ncontent-disposition: form-data; name="other"\r\n\r\nv\r\n--x--\r\n',
        { 'content-type': 'multipart/form-data; boundary=x' },
      ],
      400,
      'MULTIPART_PART_MISSING',
    ],
    [
      'multipart that ends early',
      () => [
        `/ingest${query('a')}`,
        '--x\r\ncontent-disposition: form-data; name="profile"; filename="p"\r\n\r\nv',
        { 'content-type': 'multipart/form-data; boundary=x' },
      ],
      400,
      'MULTIPART_INVALID',
    ],
    [
      'multipart without a boundary',
      () => [`/ingest${query('a')}`, 'x', { 'content-type': 'multipart/form-data' }],
      400,
      'MULTIPART_INVALID',
    ],
    [
      'a profile of last month',
      () => [`/ingest${query('a', { from: String(now() - 30 * 86_400) })}`, bodyOf('0.6.4', '001')],
      400,
      'BATCH_TOO_OLD',
    ],
  ];
  it.each(bad)('are refused with %s, and nothing is stored', async (_, request, status, code) => {
    const before = await blocks();
    const [url, body, headers] = request();
    expect(await push(url, body, headers)).toMatchObject({ status, code });
    expect(await blocks()).toBe(before);
  });
});

describe('POST /api/v1/profiles', () => {
  it('takes a file of a known format by its content', async () => {
    const tsc = readFileSync(path.resolve(fixtures, '../cpuprofile/tsc.cpuprofile'));
    expect(await push('/api/v1/profiles?service=tsc&revision=5.9', gzipSync(tsc), { 'content-encoding': 'gzip' })).toMatchObject({
      status: 202,
      accepted: 1,
      duplicates: 0,
    });
    expect(await push('/api/v1/profiles?service=tsc&revision=5.9', gzipSync(tsc), { 'content-encoding': 'gzip' })).toMatchObject({
      status: 202,
      accepted: 0,
      duplicates: 1,
    });
    const form = new FormData();
    form.append('profile', new Blob(['main;read 5\n']), 'x.folded');
    const answer = await fetch(`${server.url}/api/v1/profiles?service=uploaded&type=alloc_objects`, {
      method: 'POST',
      body: form,
      headers: { authorization: `Bearer ${server.key}` },
    });
    expect(await answer.json()).toMatchObject({ accepted: 1 });
    expect((await sumOf('uploaded', 'alloc_objects')).sum).toBe(5);
  });

  it('refuses a query that says nothing of the service', async () => {
    expect(await push('/api/v1/profiles', 'main 1')).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  });
});
