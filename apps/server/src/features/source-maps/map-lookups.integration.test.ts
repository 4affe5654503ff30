import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeMap } from '../../../../../test/support/made-map.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { run as findFunctions } from './find-functions.worker.js';
import { MapLookups, type MapToAsk } from './map-lookups.js';
import type { GeneratedFunction } from './original-function.js';
import { SourceMaps } from './source-maps.repository.js';
import { deflateMap, storedMapBytes } from './stored-map.js';

const MAP = madeMap([[[600, 0, 9, 9, 0], [602, 0, 9, 12]]]); // prettier-ignore
const FUNCTIONS: readonly GeneratedFunction[] = [{ name: 'a', line: 1, column: 602, at: 'parameters' }];
const FOUND = [expect.objectContaining({ name: 'parseOrder' })];
const LONG_MS = 20_000;

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'api');
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });

async function uploaded(revision: string, map: object = MAP): Promise<MapToAsk> {
  const query = `service=made&revision=${revision}&file=dist/app.js`;
  const { body } = await server.post<{ hash: string }>(`/api/v1/source-maps?${query}`, map);
  const [row] = (await of(DataSource).query(`SELECT id FROM service WHERE name = 'made'`)) as { id: number }[];
  return { serviceId: row!.id, revision, file: 'dist/app.js', hash: body.hash };
}
const find = (map: MapToAsk, deadlineMs = LONG_MS) => of(MapLookups).find(map, FUNCTIONS, AbortSignal.timeout(deadlineMs));

/** Counts how often maps are loaded. */
class CountedMaps extends SourceMaps {
  loads = 0;

  override async data(map: MapToAsk): ReturnType<SourceMaps['data']> {
    this.loads += 1;
    return super.data(map);
  }
}

describe('MapLookups', () => {
  it('load a map once, however many ask for it together', async () => {
    const map = await uploaded('together');
    const { thread, logger } = of(MapLookups);
    const maps = new CountedMaps(of(DataSource));
    const lookups = new MapLookups(maps, thread, logger);
    const all = await Promise.all(Array.from({ length: 20 }, () => lookups.find(map, FUNCTIONS, AbortSignal.timeout(LONG_MS))));
    for (const found of all) expect(found).toEqual(FOUND);
    expect(maps.loads).toBe(1);
  });

  it('do not take a map for broken because somebody had no time for it', async () => {
    const map = await uploaded('late', madeMap([[[600, 0, 9, 9, 0], [602, 0, 9, 13]]])); // prettier-ignore
    await find(map, 0);
    const [hasty, patient] = await Promise.all([find(map, 1), find(map)]);
    expect([undefined, FOUND]).toContainEqual(hasty); // a fast machine may be in time
    expect(patient).toEqual(FOUND);
  });

  it('let a map rest that the thread cannot read, and ask for others meanwhile', async () => {
    const [broken, whole] = [await uploaded('broken', madeMap([[[1, 0, 0, 0]]])), await uploaded('whole')];
    await of(DataSource).query(`UPDATE source_map SET data = '\\x00' WHERE revision = 'broken'`);
    expect(await Promise.all([find(broken), find(whole), find(broken)])).toEqual([undefined, FOUND, undefined]);
    await of(DataSource).query(
      `UPDATE source_map SET data = (SELECT data FROM source_map WHERE revision = 'whole') WHERE revision = 'broken'`,
    );
    expect(await find(broken)).toBeUndefined();
  });

  it('are undefined where the map is gone', async () => {
    expect(await find({ ...(await uploaded('gone')), hash: 'f'.repeat(64) })).toBeUndefined();
  });
});

describe('the thread', () => {
  it('does not inflate again what it keeps', () => {
    const bytes = storedMapBytes({ ...MAP, sources: MAP.sources });
    const stored = { data: deflateMap(bytes), sizeBytes: bytes.length };
    expect(findFunctions({ hash: 'kept', functions: FUNCTIONS })).toBe('map-not-here');
    expect(findFunctions({ hash: 'kept', stored, functions: FUNCTIONS })).toEqual(FOUND);
    expect(findFunctions({ hash: 'kept', stored: { ...stored, data: Uint8Array.of(0) }, functions: FUNCTIONS })).toEqual(FOUND);
  });
});
