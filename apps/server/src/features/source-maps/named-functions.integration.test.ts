import { randomBytes } from 'node:crypto';
import type { LinesAnswer } from '@hearth/query-contract';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineBatch } from '../../../../../test/support/line-batch.js';
import { madeMap } from '../../../../../test/support/made-map.js';
import { RANGE, SourceMapServer, STACKS, START } from '../../../../../test/support/source-map-server.js';
import { MAX_FILES_PER_REVISION, MinifiedFiles } from './minified-files.repository.js';
import { MINIFIED_COLUMN } from './original-functions.js';

let maps: SourceMapServer;
beforeAll(async () => {
  maps = await SourceMapServer.start();
});
afterAll(() => maps?.stop());
const minifiedOf = async (revision: string) => (await maps.functions(revision)).minified;

describe('functions of generated code', () => {
  it('are stored by the names of their sources, where the map was there first', async () => {
    expect((await maps.upload('named')).body).toMatchObject({ outcome: 'stored', file: 'dist/app.js', sources: 2 });
    await maps.take(maps.placedBatch('named', ...STACKS));
    expect(await maps.functionsOf('named')).toEqual([
      'main main.js 0',
      'parseOrder src/order.ts 1000',
      'priceOrder src/price.ts 300',
    ]);
    expect((await maps.listed('service=made&revision=named')).minified).toEqual([]);
    expect(await minifiedOf('named')).toEqual([]);
  });

  it('stay minified where it was not, and the list says so; the next batch has the names', async () => {
    await maps.take(maps.placedBatch('late', ...STACKS));
    expect(await maps.functionsOf('late')).toEqual(['a dist/app.js 1000', 'b dist/app.js 300', 'main main.js 0']);
    expect((await maps.listed('service=made&revision=late')).minified).toMatchObject([
      { service: 'made', revision: 'late', file: 'dist/app.js' },
    ]);
    expect(await minifiedOf('late')).toEqual([{ revision: 'late', file: 'dist/app.js', hasMap: false }]);
    await maps.upload('late');
    expect(await minifiedOf('late')).toEqual([{ revision: 'late', file: 'dist/app.js', hasMap: true }]);
    await maps.take(maps.placedBatch('late', ...STACKS));
    expect(await maps.functionsOf('late')).toEqual([
      'a dist/app.js 1000',
      'b dist/app.js 300',
      'main main.js 0',
      'parseOrder src/order.ts 1000',
      'priceOrder src/price.ts 300',
    ]);
  });

  it('are no hint where no map can ever come: their revision is not known', async () => {
    const batch = maps.placedBatch('', ...STACKS);
    await maps.take(batch);
    expect(await maps.functionsOf('unknown')).toContain('a dist/app.js 1000');
    expect((await maps.listed('service=made&revision=unknown')).minified).toMatchObject([{ file: 'dist/app.js' }]);
    expect(await minifiedOf('unknown')).toEqual([]);
  });

  it('are one function in two releases that name them differently', async () => {
    await maps.upload('r1', madeMap([[[600, 0, 9, 9, 0], [602, 0, 9, 12]]])); // prettier-ignore
    await maps.upload('r2', madeMap([[[900, 0, 20, 9, 0], [902, 0, 20, 12]]])); // prettier-ignore
    await maps.take(maps.placedBatch('r1', [1000, 'a#1:602@dist/app.js']));
    await maps.take(maps.placedBatch('r2', [2000, 'q#1:902@dist/app.js']));
    expect([await maps.functionsOf('r1'), await maps.functionsOf('r2')]).toEqual([
      ['parseOrder src/order.ts 1000'],
      ['parseOrder src/order.ts 2000'],
    ]);
  });

  it('are minified beyond a column that nobody writes to, in files of the program only', async () => {
    const at = (column: number, file: string) => maps.take(maps.placedBatch('shape', [10, `f${column}#1:${column}@${file}`]));
    await at(MINIFIED_COLUMN, 'edge.js');
    await at(MINIFIED_COLUMN + 1, 'beyond.js');
    await at(9_000, 'node_modules/lib/lib.min.js');
    const { functions, ...wasm } = maps.placedBatch('shape', [10, 'wasm-function[20]#1:9000@wasm']);
    // A column counts bytes there.
    await maps.take({ ...wasm, functions: { ...functions, scriptName: functions.scriptName.map(() => 'wasm://wasm/0012abcd') } });
    await maps.take(maps.placedBatch('shape', [10, 'old#1:0@version-1.js']));
    expect((await maps.listed('service=made&revision=shape')).minified.map(({ file }) => file)).toEqual(['beyond.js']);
  });

  it('are not called minified where a map was asked and does not know them, as what a bundler adds', async () => {
    await maps.upload('helpers');
    await maps.take(maps.placedBatch('helpers', [10, 'a#1:602@dist/app.js'], [20, 'helper#1:550@dist/app.js']));
    expect(await maps.functionsOf('helpers')).toEqual(['helper dist/app.js 20', 'parseOrder src/order.ts 10']);
    expect(await minifiedOf('helpers')).toEqual([]);
  });

  it('without columns are told by a line that comes from one source', async () => {
    await maps.upload('lines', madeMap([[[0, 0, 4, 0]], [[0, 0, 7, 0], [9, 1, 3, 0]]])); // prettier-ignore
    const { functions, ...batch } = maps.placedBatch('lines', [10, 'built#1:0@dist/app.js'], [20, 'mixed#2:0@dist/app.js']);
    await maps.take({ ...batch, functions: { ...functions, column: undefined } });
    expect(await maps.functionsOf('lines')).toEqual(['built src/order.ts 10', 'mixed dist/app.js 20']);
  });

  it('cost by the lines of their sources, a line that was several counted once', async () => {
    await maps.upload('recorded', madeMap([[[0, 0, 4, 0]], [[0, 0, 4, 9]], [[0, 0, 6, 0]]])); // prettier-ignore
    const batch = lineBatch(
      { processId: 'e'.repeat(32), ...maps.nextPlace() },
      `
      100                  50
      main#1@dist/app.js   main#1@dist/app.js
      part#2@dist/app.js   other#3@dist/app.js
      `,
    );
    await maps.take({ ...batch, process: { ...batch.process, revision: 'recorded' } });
    const { body } = await maps.server.get<LinesAnswer>(
      `/api/v1/lines?service=made&revision=recorded&file=src/order.ts&${RANGE}`,
    );
    expect(body.lines.map(({ line, self, total }) => [line, self, total])).toEqual([
      [5, 100, 150],
      [7, 50, 50],
    ]);
  });
});

describe('the list of minified files', () => {
  it('has those whose names an index takes; a batch with a longer one is stored all the same', async () => {
    const longest = `${'x'.repeat(1_997)}.js`;
    const tooLong = randomBytes(1_900).toString('hex');
    for (const file of [longest, `${tooLong}.js`]) await maps.take(maps.placedBatch('names', [10, `a#1:602@${file}`]));
    expect((await maps.listed('service=made&revision=names')).minified.map(({ file }) => file)).toEqual([longest]);
  });

  it('is bounded', async () => {
    const { id } = ((await maps.of(DataSource).query(`SELECT id FROM service WHERE name = 'made'`)) as { id: number }[])[0]!;
    const minified = maps.of(MinifiedFiles);
    await minified.note(id, 4711, Array.from({ length: 60 }, (_, n) => `a${n}.js`), START); // prettier-ignore
    await minified.note(id, 4711, ['b.js'], START);
    const found = await minified.list(id, { fromMs: START, untilMs: START + 1 }, [4711]);
    expect(found).toHaveLength(MAX_FILES_PER_REVISION);
    expect(await minified.list(id, { fromMs: 0, untilMs: START }, [4711])).toEqual([]);
  });
});
