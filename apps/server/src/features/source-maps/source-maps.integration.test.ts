import { randomBytes } from 'node:crypto';
import { gzipSync, inflateRawSync } from 'node:zlib';
import type {
  ApiKeyAnswer,
  FunctionsAnswer,
  LinesAnswer,
  Problem,
  SourceMapAnswer,
  SourceMapsAnswer,
} from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineBatch } from '../../../../../test/support/line-batch.js';
import { madeMap } from '../../../../../test/support/made-map.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer, type TestAnswer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { MAX_FILES_PER_REVISION, MinifiedFiles } from './minified-files.repository.js';
import { MINIFIED_COLUMN } from './original-functions.js';
import { MAX_MAPS_PER_REVISION, SourceMaps } from './source-maps.repository.js';

const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
const RANGE = `from=${START}&until=${START + 600_000}`;
const MAX_MAP_BYTES = 100_000;
const MAX_TOTAL_BYTES = 20_000;
/** `function a(` at 600 and `b=(` at 700, of one line. */
const MAP = madeMap([
  [
    [600, 0, 9, 9, 0],
    [602, 0, 9, 12],
    [700, 1, 4, 2, 1],
    [702, 1, 4, 15],
  ],
]);

let postgres: TestPostgres;
let server: QueryServer;
let database: DataSource;
let sequence = 0;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'api', {
    MAX_SOURCE_MAP_BYTES: String(MAX_MAP_BYTES),
    MAX_SOURCE_MAPS_TOTAL_BYTES: String(MAX_TOTAL_BYTES),
  });
  database = of(DataSource);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });

const queryOf = (revision: string, file = 'dist/app.js', service = 'made') =>
  `/api/v1/source-maps?${new URLSearchParams({ service, revision, file }).toString()}`;
async function send<Body = SourceMapAnswer>(
  path: string,
  body: string | Uint8Array,
  { key = server.address.key, encoding }: { key?: string; encoding?: string } = {},
): Promise<TestAnswer<Body>> {
  const response = await fetch(server.address.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
    body: typeof body === 'string' ? body : Uint8Array.from(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}
const upload = (revision: string, map: object = MAP, file?: string) => send(queryOf(revision, file), JSON.stringify(map));

/** Value, then frames from root to leaf, each `name#line:column@file`. */
type PlacedStack = readonly [value: number, ...frames: string[]];

function placedBatch(revision: string, ...stacks: readonly PlacedStack[]): Batch {
  sequence += 1;
  const processId = Buffer.from(revision).toString('hex').padStart(32, '0').slice(-32);
  const made = { processId, sequence, startMs: START + (sequence % 50) * 1_000 };
  const depth = Math.max(...stacks.map(({ length }) => length));
  const rows = Array.from(
    { length: depth },
    (_, row) =>
    stacks.map((stack) => String(stack[row] ?? '').replace(/:\d+@/, '@').padEnd(60)).join(''), // prettier-ignore
  );
  const batch = lineBatch(made, rows.join('\n'), 'definition');
  const frames = stacks.flatMap(([, ...names]) => names.map((frame) => /^(.+)#\d+:(\d+)@/.exec(frame)!));
  const columnOf = new Map(frames.map(([, name, column]) => [name!, Number(column)]));
  return {
    ...batch,
    process: { ...batch.process, revision },
    functions: { ...batch.functions, column: Uint32Array.from(batch.functions.name, (name) => columnOf.get(name) ?? 0) },
  };
}
async function take(batch: Batch): Promise<void> {
  expect((await sendBatch(server.address, batch)).body).toMatchObject({ accepted: 1 });
}
const minifiedOf = async (revision: string) =>
  (await server.get<FunctionsAnswer>(`/api/v1/functions?service=made&revision=${revision}&${RANGE}`)).body.minified;
async function functionsOf(revision: string): Promise<string[]> {
  const { body } = await server.get<FunctionsAnswer>(`/api/v1/functions?service=made&revision=${revision}&${RANGE}`);
  return body.functions.map(({ name, package: packageName, file, self }) => `${name} ${packageName}${file} ${self}`).sort();
}
const listed = async (query = 'service=made') => (await server.get<SourceMapsAnswer>(`/api/v1/source-maps?${query}`)).body;

const mapsOf = async (revision: string) => (await listed(`service=made&revision=${revision}`)).maps.length;

const STACKS: readonly PlacedStack[] = [
  [1000, 'main#1:1@main.js', 'a#1:602@dist/app.js'],
  [300, 'main#1:1@main.js', 'b#1:703@dist/app.js'],
];

describe('functions of generated code', () => {
  it('are stored by the names of their sources, where the map was there first', async () => {
    expect((await upload('named')).body).toMatchObject({ outcome: 'stored', file: 'dist/app.js', sources: 2 });
    await take(placedBatch('named', ...STACKS));
    expect(await functionsOf('named')).toEqual(['main main.js 0', 'parseOrder src/order.ts 1000', 'priceOrder src/price.ts 300']);
    expect((await listed('service=made&revision=named')).minified).toEqual([]);
    expect(await minifiedOf('named')).toEqual([]);
  });

  it('stay minified where it was not, and the list says so; the next batch has the names', async () => {
    await take(placedBatch('late', ...STACKS));
    expect(await functionsOf('late')).toEqual(['a dist/app.js 1000', 'b dist/app.js 300', 'main main.js 0']);
    expect((await listed('service=made&revision=late')).minified).toMatchObject([
      { service: 'made', revision: 'late', file: 'dist/app.js' },
    ]);
    expect(await minifiedOf('late')).toEqual([{ revision: 'late', file: 'dist/app.js', hasMap: false }]);
    await upload('late');
    expect(await minifiedOf('late')).toEqual([{ revision: 'late', file: 'dist/app.js', hasMap: true }]);
    await take(placedBatch('late', ...STACKS));
    expect(await functionsOf('late')).toEqual([
      'a dist/app.js 1000',
      'b dist/app.js 300',
      'main main.js 0',
      'parseOrder src/order.ts 1000',
      'priceOrder src/price.ts 300',
    ]);
  });

  it('are no hint where no map can ever come: their revision is not known', async () => {
    const batch = placedBatch('', ...STACKS);
    await take(batch);
    expect(await functionsOf('unknown')).toContain('a dist/app.js 1000');
    expect((await listed('service=made&revision=unknown')).minified).toMatchObject([{ file: 'dist/app.js' }]);
    expect(await minifiedOf('unknown')).toEqual([]);
  });

  it('are one function in two releases that name them differently', async () => {
    await upload('r1', madeMap([[[600, 0, 9, 9, 0], [602, 0, 9, 12]]])); // prettier-ignore
    await upload('r2', madeMap([[[900, 0, 20, 9, 0], [902, 0, 20, 12]]])); // prettier-ignore
    await take(placedBatch('r1', [1000, 'a#1:602@dist/app.js']));
    await take(placedBatch('r2', [2000, 'q#1:902@dist/app.js']));
    expect([await functionsOf('r1'), await functionsOf('r2')]).toEqual([
      ['parseOrder src/order.ts 1000'],
      ['parseOrder src/order.ts 2000'],
    ]);
  });

  it('are minified beyond a column that nobody writes to, in files of the program only', async () => {
    const at = (column: number, file: string) => take(placedBatch('shape', [10, `f${column}#1:${column}@${file}`]));
    await at(MINIFIED_COLUMN, 'edge.js');
    await at(MINIFIED_COLUMN + 1, 'beyond.js');
    await at(9_000, 'node_modules/lib/lib.min.js');
    await take(placedBatch('shape', [10, 'old#1:0@version-1.js']));
    expect((await listed('service=made&revision=shape')).minified.map(({ file }) => file)).toEqual(['beyond.js']);
  });

  it('are not called minified where a map was asked and does not know them, as what a bundler adds', async () => {
    await upload('helpers');
    await take(placedBatch('helpers', [10, 'a#1:602@dist/app.js'], [20, 'helper#1:550@dist/app.js']));
    expect(await functionsOf('helpers')).toEqual(['helper dist/app.js 20', 'parseOrder src/order.ts 10']);
    expect(await minifiedOf('helpers')).toEqual([]);
  });

  it('without columns are told by a line that comes from one source', async () => {
    await upload('lines', madeMap([[[0, 0, 4, 0]], [[0, 0, 7, 0], [9, 1, 3, 0]]])); // prettier-ignore
    const { functions, ...batch } = placedBatch('lines', [10, 'built#1:0@dist/app.js'], [20, 'mixed#2:0@dist/app.js']);
    await take({ ...batch, functions: { ...functions, column: undefined } });
    expect(await functionsOf('lines')).toEqual(['built src/order.ts 10', 'mixed dist/app.js 20']);
  });

  it('cost by the lines of their sources, a line that was several counted once', async () => {
    await upload('recorded', madeMap([[[0, 0, 4, 0]], [[0, 0, 4, 9]], [[0, 0, 6, 0]]])); // prettier-ignore
    sequence += 1;
    const batch = lineBatch(
      { processId: 'e'.repeat(32), sequence, startMs: START },
      `
      100                  50
      main#1@dist/app.js   main#1@dist/app.js
      part#2@dist/app.js   other#3@dist/app.js
      `,
    );
    await take({ ...batch, process: { ...batch.process, revision: 'recorded' } });
    const { body } = await server.get<LinesAnswer>(`/api/v1/lines?service=made&revision=recorded&file=src/order.ts&${RANGE}`);
    expect(body.lines.map(({ line, self, total }) => [line, self, total])).toEqual([
      [5, 100, 150],
      [7, 50, 50],
    ]);
  });
});

describe('POST /source-maps', () => {
  it('stores the same map once, and another one in its place', async () => {
    const outcomes = [];
    for (const map of [MAP, { ...MAP, file: 'app.js', sourcesContent: [null, null] }, madeMap([[[0, 0, 0, 0]]])])
      outcomes.push((await upload('again', map)).body.outcome);
    expect(outcomes).toEqual(['stored', 'unchanged', 'replaced']);
    const { maps } = await listed('service=made&revision=again');
    expect(maps).toMatchObject([{ service: 'made', revision: 'again', file: 'dist/app.js' }]);
    expect(maps[0]!.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps nothing of the sources', async () => {
    await upload('secret', { ...MAP, sourcesContent: ['const password = "hunter2"', ''] });
    const [row] = (await database.query(`SELECT data FROM source_map WHERE revision = 'secret'`)) as { data: Buffer }[];
    expect(inflateRawSync(row!.data).toString()).not.toContain('hunter2');
  });

  it('reads gzip, sections, and names from the sources', async () => {
    const content = ['\n'.repeat(9) + 'function parseOrder(text) {}', 'class Price {\n\n\n\n  constructor(order) {}\n}'];
    const plain = madeMap([[[600, 0, 9, 9], [602, 0, 9, 21], [700, 1, 4, 2], [711, 1, 4, 14]]], { names: [] }); // prettier-ignore
    const section = { offset: { line: 0, column: 0 }, map: { ...plain, sourcesContent: content } };
    const body = gzipSync(JSON.stringify({ version: 3, sections: [section] }));
    expect((await send(queryOf('sections'), body, { encoding: 'gzip' })).status).toBe(200);
    await take(placedBatch('sections', [1000, 'a#1:602@dist/app.js'], [300, 'r#1:712@dist/app.js']));
    expect(await functionsOf('sections')).toEqual(['Price src/price.ts 300', 'parseOrder src/order.ts 1000']);
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
    const answer = await send<Problem>(queryOf('bad'), body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect((await listed('service=made&revision=bad')).maps).toEqual([]);
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
    expect((await upload('odd', odd)).status).toBe(200);
    const stacks = [1, 101, 201, 301, 401, 601, 701].map((column): PlacedStack => [10, `long${column}#1:${column}@dist/app.js`]);
    await take(placedBatch('odd', ...stacks));
    expect(await functionsOf('odd')).toEqual([
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
    expect((await send(queryOf('large'), filled(MAX_MAP_BYTES))).status).toBe(200);
    for (const [body, encoding] of [[filled(MAX_MAP_BYTES + 1)], [gzipSync(filled(MAX_MAP_BYTES + 1)), 'gzip']] as const) {
      const answer = await send<Problem>(queryOf('large'), body, encoding === undefined ? {} : { encoding });
      expect([answer.status, answer.body.code]).toEqual([413, 'SOURCE_MAP_TOO_LARGE']);
    }
  });

  it('is no larger for the names of its sources: the rest of a word is none, and what would be too large is refused', async () => {
    const word = 'w'.repeat(400);
    const line = Array.from({ length: 400 }, (_, at): [number, number, number, number] => [600 + at, 0, 0, at]);
    const { body } = await upload('words', { ...madeMap([line]), sourcesContent: [`${word}()`, null] });
    expect(body.sizeBytes).toBeLessThan(5_000);
    const rooted = { ...madeMap([line], { sources: Array.from({ length: 200 }, (_, at) => `s${at}`) }), sourceRoot: 'r/'.repeat(400) }; // prettier-ignore
    expect(await send<Problem>(queryOf('rooted'), JSON.stringify(rooted))).toMatchObject({
      status: 413,
      body: { code: 'SOURCE_MAP_TOO_LARGE' },
    });
  });

  it('takes as many maps of a revision as allowed, and as many bytes of a project', async () => {
    await upload('many');
    await database.query(
      `INSERT INTO source_map SELECT service_id, revision, 'f' || n, hash, 0, 0, 0, 0, '' FROM source_map, generate_series(2, $1) AS n WHERE revision = 'many'`,
      [MAX_MAPS_PER_REVISION - 1],
    );
    expect((await upload('many', MAP, 'last.js')).status).toBe(200);
    expect(await upload('many', MAP, 'more.js')).toMatchObject({ status: 413, body: { code: 'TOO_MANY_SOURCE_MAPS' } });
    expect((await upload('many', MAP, 'last.js')).body.outcome).toBe('unchanged');

    const { storedBytes } = (await upload('measure')).body;
    const [sum] = (await database.query('SELECT sum(stored_bytes)::int AS n FROM source_map')) as { n: number }[];
    const fill = async (bytes: number) => database.query(`UPDATE source_map SET stored_bytes = $1 WHERE file = 'f2'`, [bytes]);
    await fill(MAX_TOTAL_BYTES - sum!.n - storedBytes + 1);
    expect(await upload('full')).toMatchObject({ status: 413, body: { code: 'SOURCE_MAPS_FULL' } });
    // A revision that ran a week ago makes room, one that ran since does not; and no more of them than is needed.
    const ran = async (revision: string, daysAgo: number) =>
      database.query('UPDATE source_map SET used_ms = $1 WHERE revision = $2', [Date.now() - daysAgo * 86_400_000, revision]);
    await ran('named', 6.9);
    expect((await upload('full')).body).toMatchObject({ code: 'SOURCE_MAPS_FULL' });
    await ran('named', 9.1);
    await ran('late', 7.1);
    expect((await upload('full')).status).toBe(200);
    expect([await mapsOf('named'), await mapsOf('late'), await mapsOf('full')]).toEqual([0, 1, 1]);
    await server.delete('/api/v1/source-maps?service=made&revision=full');
    await ran('late', 0);
    const [left] = (await database.query(`SELECT sum(stored_bytes)::int AS n FROM source_map WHERE file <> 'f2'`)) as {
      n: number;
    }[];
    await fill(MAX_TOTAL_BYTES - left!.n - storedBytes);
    expect((await upload('full')).status).toBe(200);
    expect((await server.delete<{ removed: number }>('/api/v1/source-maps?service=made&revision=many')).body.removed).toBe(
      MAX_MAPS_PER_REVISION,
    );
  });

  it.each(['/dist/app.js', '../app.js', 'dist/../app.js', 'dist\\app.js', 'dist/', ''])('refuses the file %j', async (file) => {
    expect((await send<Problem>(queryOf('r', file), '{}')).body.code).toBe('REQUEST_INVALID');
  });

  it('is for ingest keys, its list for those who read, its deletion for administrators', async () => {
    const keyOf = async (kind: string) => (await server.post<ApiKeyAnswer>('/api/v1/api-keys', { name: kind, kind })).body.key!;
    const [ingest, read] = [await keyOf('ingest'), await keyOf('read')];
    const statusOf = async (method: string, key: string) =>
      (
        await fetch(`${server.address.url}${queryOf('keys')}`, {
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
    await upload('gone');
    await take(placedBatch('gone', ...STACKS));
    expect(await server.delete('/api/v1/source-maps?service=made&revision=gone')).toMatchObject({ body: { removed: 1 } });
    expect((await listed('service=made&revision=gone')).maps).toEqual([]);
    expect(await functionsOf('gone')).toContain('parseOrder src/order.ts 1000');
    expect((await server.delete<Problem>('/api/v1/source-maps?service=nobody&revision=x')).body.code).toBe('SERVICE_NOT_FOUND');
  });

  it('is read by what it holds: another map in its place is not taken for it', async () => {
    const { hash } = (await upload('swapped')).body;
    const { id } = ((await database.query(`SELECT id FROM service WHERE name = 'made'`)) as { id: number }[])[0]!;
    const key = { serviceId: id, revision: 'swapped', file: 'dist/app.js' };
    expect(await of(SourceMaps).data({ ...key, hash })).toBeDefined();
    await upload('swapped', madeMap([[[0, 0, 0, 0]]]));
    expect(await of(SourceMaps).data({ ...key, hash })).toBeUndefined();
  });

  it('is of files whose names an index takes; a batch with a longer one is stored all the same', async () => {
    const longest = `${'x'.repeat(1_997)}.js`;
    const tooLong = randomBytes(1_900).toString('hex');
    for (const file of [longest, `${tooLong}.js`]) await take(placedBatch('names', [10, `a#1:602@${file}`]));
    expect((await listed('service=made&revision=names')).minified.map(({ file }) => file)).toEqual([longest]);
  });

  it('names a bounded number of minified files', async () => {
    const { id } = ((await database.query(`SELECT id FROM service WHERE name = 'made'`)) as { id: number }[])[0]!;
    const minified = of(MinifiedFiles);
    await minified.note(id, 4711, Array.from({ length: 60 }, (_, n) => `a${n}.js`), START); // prettier-ignore
    await minified.note(id, 4711, ['b.js'], START);
    const found = await minified.list(id, { fromMs: START, untilMs: START + 1 }, [4711]);
    expect(found).toHaveLength(MAX_FILES_PER_REVISION);
    expect(await minified.list(id, { fromMs: 0, untilMs: START }, [4711])).toEqual([]);
  });
});
