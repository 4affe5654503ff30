import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteAtOnce } from '../../../../../test/support/delete-at-once.js';
import { madeMap } from '../../../../../test/support/made-map.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { Ticks } from '../../platform/queue/index.js';
import { MinifiedFiles, SourceMaps } from '../source-maps/index.js';
import { RetentionExpiry } from './retention-expiry.js';

const DAY_MS = 86_400_000;
/** The longest of the defaults. */
const LONGEST_DAYS = 400;

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase(), 'all');
  await of(Ticks).beforeApplicationShutdown(); // forgets only when told to
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});
const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });

/** @returns Id of the service. */
async function upload(service: string): Promise<number> {
  const query = `service=${service}&revision=r1&file=dist/app.js`;
  expect((await server.post(`/api/v1/source-maps?${query}`, madeMap([[[0, 0, 0, 0]]]))).status).toBe(200);
  const [row] = (await of(DataSource).query('SELECT id FROM service WHERE name = $1', [service])) as { id: number }[];
  await of(MinifiedFiles).note(row!.id, 1, ['dist/other.js'], Date.now());
  return row!.id;
}
async function rows(): Promise<string[]> {
  const found = (await of(DataSource).query(
    `SELECT service_id AS id, 'map' AS kind FROM source_map UNION ALL SELECT service_id, 'minified' FROM minified_file ORDER BY 1, 2`,
  )) as { id: number; kind: string }[];
  return found.map(({ id, kind }) => `${kind} of ${id}`);
}

describe('source maps, and what is known of minified files', () => {
  it('go with their service, and of others when nothing has come for as long as anything is kept', async () => {
    const [gone, stays] = [await upload('gone'), await upload('stays')];
    expect(await rows()).toEqual([gone, stays].flatMap((id) => [`map of ${id}`, `minified of ${id}`]));
    await deleteAtOnce(server, '/api/v1/services/gone');
    expect(await rows()).toEqual([`map of ${stays}`, `minified of ${stays}`]);

    const nowMs = Date.now();
    await of(RetentionExpiry).expire(nowMs + LONGEST_DAYS * DAY_MS - 60_000);
    expect(await rows()).toHaveLength(2);
    await of(SourceMaps).use(stays, 'r1', nowMs + DAY_MS);
    await of(RetentionExpiry).expire(nowMs + LONGEST_DAYS * DAY_MS + 60_000);
    expect(await rows()).toEqual([`map of ${stays}`]);
    await of(RetentionExpiry).expire(nowMs + (LONGEST_DAYS + 1) * DAY_MS + 60_000);
    expect(await rows()).toEqual([]);
  });
});
