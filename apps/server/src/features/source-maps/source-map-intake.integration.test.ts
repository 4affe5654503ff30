import { gzipSync, inflateRawSync } from 'node:zlib';
import type { ApiKeyAnswer, Problem, SourceMapClaimsAnswer } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeMap } from '../../../../../test/support/made-map.js';
import {
  MAP,
  MAX_MAP_BYTES,
  MAX_TOTAL_BYTES,
  SourceMapServer,
  STACKS,
  uploadPath,
  type PlacedStack,
} from '../../../../../test/support/source-map-server.js';
import { CLAIM_MS, MAX_CLAIMS } from './source-map-claims.repository.js';
import { SourceMapDesk } from './source-map-desk.js';
import { MAX_MAPS_PER_REVISION, SourceMaps } from './source-maps.repository.js';

let maps: SourceMapServer;
let database: DataSource;
beforeAll(async () => {
  maps = await SourceMapServer.start();
  database = maps.of(DataSource);
});
afterAll(() => maps?.stop());
const mapsOf = async (revision: string) => (await maps.listed(`service=made&revision=${revision}`)).maps.length;

describe('POST /source-maps', () => {
  it('stores the same map once, and another one in its place', async () => {
    const outcomes = [];
    for (const map of [MAP, { ...MAP, file: 'app.js', sourcesContent: [null, null] }, madeMap([[[0, 0, 0, 0]]])])
      outcomes.push((await maps.upload('again', map)).body.outcome);
    expect(outcomes).toEqual(['stored', 'unchanged', 'replaced']);
    const { maps: listed } = await maps.listed('service=made&revision=again');
    expect(listed).toMatchObject([{ service: 'made', revision: 'again', file: 'dist/app.js' }]);
    expect(listed[0]!.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps nothing of the sources', async () => {
    await maps.upload('secret', { ...MAP, sourcesContent: ['const password = "hunter2"', ''] });
    const [row] = (await database.query(`SELECT data FROM source_map WHERE revision = 'secret'`)) as { data: Buffer }[];
    expect(inflateRawSync(row!.data).toString()).not.toContain('hunter2');
  });

  it('reads gzip, sections, and names from the sources', async () => {
    const content = ['\n'.repeat(9) + 'function parseOrder(text) {}', 'class Price {\n\n\n\n  constructor(order) {}\n}'];
    const plain = madeMap([[[600, 0, 9, 9], [602, 0, 9, 21], [700, 1, 4, 2], [711, 1, 4, 14]]], { names: [] }); // prettier-ignore
    const section = { offset: { line: 0, column: 0 }, map: { ...plain, sourcesContent: content } };
    const body = gzipSync(JSON.stringify({ version: 3, sections: [section] }));
    expect((await maps.send(uploadPath('sections'), body, { encoding: 'gzip' })).status).toBe(200);
    await maps.take(maps.placedBatch('sections', [1000, 'a#1:602@dist/app.js'], [300, 'r#1:712@dist/app.js']));
    expect(await maps.functionsOf('sections')).toEqual(['Price src/price.ts 300', 'parseOrder src/order.ts 1000']);
  });

  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  it.each([
    ['no JSON', '{"version":3', 'SOURCE_MAP_INVALID'],
    ['JSON that is no object', '[]', 'SOURCE_MAP_INVALID'],
    ['nothing', '', 'SOURCE_MAP_INVALID'],
    ['another version', '{"version":2,"sources":[],"names":[],"mappings":""}', 'SOURCE_MAP_INVALID'],
    ['a deep value', `{"version":3,"sources":${nested(40_000)},"mappings":""}`, 'SOURCE_MAP_INVALID'],
    ['sources that are no texts', '{"version":3,"sources":[7],"mappings":""}', 'SOURCE_MAP_INVALID'],
    ['mappings that are no base 64', '{"version":3,"sources":[],"mappings":"ÄÖ"}', 'SOURCE_MAP_INVALID'],
    [
      'a section in front of the first line',
      `{"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":${JSON.stringify(MAP)}}]}`,
      'SOURCE_MAP_INVALID',
    ],
    [
      'a section behind more lines than there is memory',
      `{"version":3,"sections":[{"offset":{"line":2000000000,"column":0},"map":${JSON.stringify(MAP)}}]}`,
      'SOURCE_MAP_INVALID',
    ],
    [
      'sections in sections',
      `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sections":[]}}]}`,
      'SOURCE_MAP_INVALID',
    ],
  ])('refuses %s', async (_, body, code) => {
    const answer = await maps.send<Problem>(uploadPath('bad'), body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect((await maps.listed('service=made&revision=bad')).maps).toEqual([]);
  });

  it('is not misled by places that do not exist, nor by paths out of the root', async () => {
    const sources = [
      '../../../../etc/passwd',
      '/home/ci/app/src/order.ts',
      'file:///c:/x/y.ts',
      'webpack://shop/./src/w.ts',
      '\0',
    ];
    const line = sources.map((_, source): [number, number, number, number, number] => [source * 100, source, 0, 0, 99]);
    const odd = madeMap([[...line, [600, 77, 5, 5], [700, 0, -3, -3]]], { sources }); // prettier-ignore
    expect((await maps.upload('odd', odd)).status).toBe(200);
    const stacks = [1, 101, 201, 301, 401, 601, 701].map((column): PlacedStack => [10, `long${column}#1:${column}@dist/app.js`]);
    await maps.take(maps.placedBatch('odd', ...stacks));
    expect(await maps.functionsOf('odd')).toEqual([
      'long1 .../etc/passwd 10',
      'long101 .../app/src/order.ts 10',
      'long201 .../x/y.ts 10',
      'long301 src/w.ts 10',
      'long401 dist/\u2400 10',
      'long601 dist/app.js 10',
      'long701 dist/app.js 10',
    ]);
  });

  it('takes a map as large as the limit, and none larger, however it is packed', async () => {
    const filled = (bytes: number) => {
      const map = { ...MAP, padding: '' };
      return JSON.stringify({ ...map, padding: 'x'.repeat(bytes - JSON.stringify(map).length) });
    };
    expect((await maps.send(uploadPath('large'), filled(MAX_MAP_BYTES))).status).toBe(200);
    for (const [body, encoding] of [[filled(MAX_MAP_BYTES + 1)], [gzipSync(filled(MAX_MAP_BYTES + 1)), 'gzip']] as const) {
      const answer = await maps.send<Problem>(uploadPath('large'), body, encoding === undefined ? {} : { encoding });
      expect([answer.status, answer.body.code]).toEqual([413, 'SOURCE_MAP_TOO_LARGE']);
    }
  });

  it('is no larger for the names of its sources: the rest of a word is none, and what would be too large is refused', async () => {
    const word = 'w'.repeat(400);
    const line = Array.from({ length: 400 }, (_, at): [number, number, number, number] => [600 + at, 0, 0, at]);
    const { body } = await maps.upload('words', { ...madeMap([line]), sourcesContent: [`${word}()`, null] });
    expect(body.sizeBytes).toBeLessThan(5_000);
    const rooted = { ...madeMap([line], { sources: Array.from({ length: 200 }, (_, at) => `s${at}`) }), sourceRoot: 'r/'.repeat(400) }; // prettier-ignore
    expect(await maps.send<Problem>(uploadPath('rooted'), JSON.stringify(rooted))).toMatchObject({
      status: 413,
      body: { code: 'SOURCE_MAP_TOO_LARGE' },
    });
  });

  it('takes as many maps of a revision as allowed, and as many bytes of a project', async () => {
    for (const revision of ['older', 'old', 'many']) await maps.upload(revision);
    await database.query(
      `INSERT INTO source_map SELECT service_id, revision, 'f' || n, hash, 0, 0, 0, 0, '' FROM source_map, generate_series(2, $1) AS n WHERE revision = 'many'`,
      [MAX_MAPS_PER_REVISION - 1],
    );
    expect((await maps.upload('many', MAP, 'last.js')).status).toBe(200);
    expect(await maps.upload('many', MAP, 'more.js')).toMatchObject({ status: 413, body: { code: 'TOO_MANY_SOURCE_MAPS' } });
    expect((await maps.upload('many', MAP, 'last.js')).body.outcome).toBe('unchanged');

    const { storedBytes } = (await maps.upload('measure')).body;
    const [sum] = (await database.query('SELECT sum(stored_bytes)::int AS n FROM source_map')) as { n: number }[];
    const fill = async (bytes: number) => database.query(`UPDATE source_map SET stored_bytes = $1 WHERE file = 'f2'`, [bytes]);
    await fill(MAX_TOTAL_BYTES - sum!.n - storedBytes + 1);
    expect(await maps.upload('full')).toMatchObject({ status: 413, body: { code: 'SOURCE_MAPS_FULL' } });
    // A revision that ran a week ago makes room, one that ran since does not; and no more of them than is needed.
    const ran = async (revision: string, daysAgo: number) =>
      database.query('UPDATE source_map SET used_ms = $1 WHERE revision = $2', [Date.now() - daysAgo * 86_400_000, revision]);
    await ran('older', 6.9);
    expect((await maps.upload('full')).body).toMatchObject({ code: 'SOURCE_MAPS_FULL' });
    await ran('older', 9.1);
    await ran('old', 7.1);
    expect((await maps.upload('full')).status).toBe(200);
    expect([await mapsOf('older'), await mapsOf('old'), await mapsOf('full')]).toEqual([0, 1, 1]);
    await maps.server.delete('/api/v1/source-maps?service=made&revision=full');
    await ran('old', 0);
    const [left] = (await database.query(`SELECT sum(stored_bytes)::int AS n FROM source_map WHERE file <> 'f2'`)) as {
      n: number;
    }[];
    await fill(MAX_TOTAL_BYTES - left!.n - storedBytes);
    expect((await maps.upload('full')).status).toBe(200);
    expect((await maps.server.delete<{ removed: number }>('/api/v1/source-maps?service=made&revision=many')).body.removed).toBe(
      MAX_MAPS_PER_REVISION,
    );
  });

  it.each(['/dist/app.js', '../app.js', 'dist/../app.js', 'dist\\app.js', 'dist/', ''])('refuses the file %j', async (file) => {
    expect((await maps.send<Problem>(uploadPath('r', file), '{}')).body.code).toBe('REQUEST_INVALID');
  });

  it('is for ingest keys, its list for those who read, its deletion for administrators', async () => {
    const keyOf = async (kind: string) =>
      (await maps.server.post<ApiKeyAnswer>('/api/v1/api-keys', { name: kind, kind })).body.key!;
    const [ingest, read] = [await keyOf('ingest'), await keyOf('read')];
    const statusOf = async (method: string, key: string) =>
      (
        await fetch(`${maps.server.address.url}${uploadPath('keys')}`, {
          method,
          headers: { authorization: `Bearer ${key}` },
          ...(method === 'POST' ? { body: JSON.stringify(MAP) } : {}),
        })
      ).status;
    expect([await statusOf('POST', ingest), await statusOf('POST', read)]).toEqual([200, 403]);
    expect([await statusOf('GET', ingest), await statusOf('GET', read)]).toEqual([403, 200]);
    expect([await statusOf('DELETE', ingest), await statusOf('DELETE', read)]).toEqual([403, 403]);
  });
});

describe('what is kept', () => {
  it('is deleted by revision, and what was stored with it keeps its names', async () => {
    await maps.upload('gone');
    await maps.take(maps.placedBatch('gone', ...STACKS));
    expect(await maps.server.delete('/api/v1/source-maps?service=made&revision=gone')).toMatchObject({ body: { removed: 1 } });
    expect((await maps.listed('service=made&revision=gone')).maps).toEqual([]);
    expect(await maps.functionsOf('gone')).toContain('parseOrder src/order.ts 1000');
    expect((await maps.server.delete<Problem>('/api/v1/source-maps?service=nobody&revision=x')).body.code).toBe(
      'SERVICE_NOT_FOUND',
    );
  });

  it('is read by what it holds: another map in its place is not taken for it', async () => {
    const { hash } = (await maps.upload('swapped')).body;
    const { id } = ((await database.query(`SELECT id FROM service WHERE name = 'made'`)) as { id: number }[])[0]!;
    const key = { serviceId: id, revision: 'swapped', file: 'dist/app.js' };
    expect(await maps.of(SourceMaps).data({ ...key, hash })).toBeDefined();
    await maps.upload('swapped', madeMap([[[0, 0, 0, 0]]]));
    expect(await maps.of(SourceMaps).data({ ...key, hash })).toBeUndefined();
  });
});

describe('POST /source-maps/claims', () => {
  const FILES = ['dist/app.js', 'dist/jobs.js'];
  const claim = async (revision: string, files: readonly string[] = FILES, service = 'made') =>
    maps.server.post<SourceMapClaimsAnswer>('/api/v1/source-maps/claims', { service, revision, files });
  const statesOf = async (revision: string, files = FILES) => (await claim(revision, files)).body.states;

  it('gives each map that is missing to one process', async () => {
    await maps.upload('fleet');
    const asked = await Promise.all(Array.from({ length: 20 }, () => statesOf('fleet', [...FILES, 'app.js'])));
    expect(asked.map((states) => states.join(' ')).sort()).toEqual([
      'stored claimed stored',
      ...Array<string>(19).fill('stored taken stored'),
    ]);
  });

  it('gives it to the next when its time is over, and no sooner', async () => {
    await maps.upload('given');
    const [{ id }] = (await database.query(`SELECT project_id AS id FROM service WHERE name = 'made'`)) as [{ id: number }];
    const at = async (nowMs: number) =>
      (await maps.of(SourceMapDesk).claim(id, { service: 'made', revision: 'late', files: FILES }, nowMs)).states;
    expect([await at(0), await at(CLAIM_MS - 1), await at(CLAIM_MS)]).toEqual([
      ['claimed', 'claimed'],
      ['taken', 'taken'],
      ['claimed', 'claimed'],
    ]);
  });

  it('asks nobody else for one that was refused', async () => {
    await maps.upload('given');
    expect(await statesOf('bad')).toEqual(['claimed', 'claimed']);
    expect((await maps.send<Problem>(uploadPath('bad'), '{}')).body.code).toBe('SOURCE_MAP_INVALID');
    const open = (await database.query(
      `SELECT file FROM source_map_claim WHERE revision = 'bad' AND until_ms > $1 ORDER BY file`,
      [Date.now() + CLAIM_MS],
    )) as { file: string }[];
    expect(open.map(({ file }) => file)).toEqual(['dist/app.js']);
  });

  it('takes a hundred files, and no more claims of a service than it can hold', async () => {
    const files = (count: number) => Array.from({ length: count }, (_, at) => `dist/f${at}.js`);
    expect((await claim('large', files(101))).body).toMatchObject({ code: 'REQUEST_INVALID' });
    await database.query('DELETE FROM source_map_claim');
    await database.query(
      `INSERT INTO source_map_claim SELECT id, 'held', n::text, $1 FROM service, generate_series(1, $2) AS n WHERE name = 'made'`,
      [Date.now() + CLAIM_MS, MAX_CLAIMS - 99],
    );
    expect((await statesOf('large', files(100))).filter((state) => state === 'claimed')).toHaveLength(99);
    await database.query('DELETE FROM source_map_claim');
  });

  it('is for processes whose batches are there, with an ingest key', async () => {
    expect((await claim('r1', FILES, 'nobody')).body).toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    const { key } = (await maps.server.post<ApiKeyAnswer>('/api/v1/api-keys', { name: 'read', kind: 'read' })).body;
    const refused = await maps.server.post('/api/v1/source-maps/claims', { service: 'made', revision: 'r', files: FILES }, key);
    expect(refused.status).toBe(403);
  });
});
