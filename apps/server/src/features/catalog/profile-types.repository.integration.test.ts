import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { Origins } from './origins.repository.js';
import { ProfileTypes } from './profile-types.repository.js';

let postgres: TestPostgres;
let server: QueryServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(postgres.url);
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });
const service = (name: string) => of(Origins).ensureService(1, name, Date.now());
/** The types of our agent. */
const OWN = Object.values(PROFILE_TYPE_IDS);
const madeUp = (service: string, count: number) => Array.from({ length: count }, (_, at) => `${service}${at}:a:count::`);
const refusal = expect.objectContaining({ code: 'TOO_MANY_PROFILE_TYPES' }) as unknown;

describe('ProfileTypes', () => {
  it('takes fifty types of a service besides those of our agent, and no more', async () => {
    const types = of(ProfileTypes);
    const id = await service('inventor');
    await types.ensure(id, madeUp('i', 50));
    await expect(types.ensure(id, ['one-more:a:count::'])).rejects.toEqual(refusal);
    expect(await types.ensure(id, OWN)).toHaveLength(OWN.length);
    expect(await types.ofService(id)).toHaveLength(50 + OWN.length);
    // What was taken is taken again, also by a server that has just started.
    expect(await new ProfileTypes(types.table).ensure(id, madeUp('i', 50))).toHaveLength(50);
    // What was refused takes no number.
    expect(await types.table.existsBy({ typeId: 'one-more:a:count::' })).toBe(false);
  });

  it('takes the types of our agent when strangers have used up all others', async () => {
    const types = of(ProfileTypes);
    await types.table.query(`DELETE FROM service_profile_type`);
    await types.table.query(`DELETE FROM profile_type`);
    await types.table.query(`INSERT INTO profile_type (type_id) SELECT 'x' || n || ':a:count::' FROM generate_series(1, 2000) n`);
    const fresh = new ProfileTypes(types.table);
    const id = await service('victim');
    expect(await fresh.ensure(id, OWN)).toHaveLength(OWN.length);
    await expect(fresh.ensure(id, ['another:a:count::'])).rejects.toEqual(refusal);
  });
});
