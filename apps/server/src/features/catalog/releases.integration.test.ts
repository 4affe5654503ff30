import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { DEFAULT_LIMITS, Limits, type Quota, type ServiceLimits } from '../limits/index.js';
import { Catalog } from './catalog.repository.js';
import { Deploys } from './deploys.repository.js';
import { Origins, type Sender } from './origins.repository.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
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
afterEach(() => vi.useRealTimers());

const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });
const limitsOf = (quota: Partial<Quota>): ServiceLimits => ({ ...DEFAULT_LIMITS, quota: { ...DEFAULT_LIMITS.quota, ...quota } });

/** The names under which a batch of the sender is kept, and what of them was folded. */
async function kept(sent: Partial<Sender> & { service: string; process: string }, limits: ServiceLimits, atMs = Date.now()) {
  const { process: name, ...named } = sent;
  const sender: Sender = {
    environment: 'production', revision: 'r1', version: '', host: 'here', startedAtMs: atMs, pid: 1,
    nodeVersion: '', agentVersion: '', rateHz: 99, labels: [], ...named,
    processKey: createHash('sha256').update(name).digest('hex').slice(0, 32),
  }; // prettier-ignore
  const { origin, process, folded } = await of(Origins).ensure(1, sender, atMs, limits);
  const { serviceId, environmentId, revisionId } = origin;
  const environments = await of(Catalog).environments(serviceId);
  const revisions = await of(Catalog).revisions(serviceId);
  const environment = environments.find(({ id }) => id === environmentId)!.name;
  const revision = revisions.find(({ id }) => id === revisionId)!.name;
  return { release: `${revision} in ${environment}`, process, folded };
}

describe('the environments of a service', () => {
  it('are as many as it may have; one more is __other__, the revision stays', async () => {
    const limits = limitsOf({ environmentsPerService: 2 });
    const ofEnvironment = (environment: string) => kept({ service: 'places', environment, process: environment }, limits);
    expect(await ofEnvironment('production')).toEqual({ release: 'r1 in production', process: 'own', folded: [] });
    expect((await ofEnvironment('staging')).release).toBe('r1 in staging');
    const folded = { release: 'r1 in __other__', process: 'own', folded: ['ENVIRONMENTS_FOLDED'] };
    expect(await ofEnvironment('preview-1')).toEqual(folded);
    expect(await ofEnvironment('preview-2')).toEqual(folded);
    expect((await kept({ service: 'places', environment: 'staging', process: 'new' }, limits)).folded).toEqual([]);
  });
});

describe('the releases of a service', () => {
  it('are as many as it may have in a day; of one more the revision is __other__, in each environment', async () => {
    const limits = limitsOf({ releasesPerService: 2 });
    const ofRelease = (revision: string, environment: string, process = `${revision} ${environment}`) =>
      kept({ service: 'shop', environment, revision, process }, limits);
    // Many processes of one release begin at once.
    const fleet = await Promise.all(Array.from({ length: 20 }, (_, n) => ofRelease('r1', 'production', `p${n}`)));
    expect(new Set(fleet.map(({ release }) => release))).toEqual(new Set(['r1 in production']));
    expect(await ofRelease('r1', 'staging')).toEqual({ release: 'r1 in staging', process: 'own', folded: [] });
    expect(await ofRelease('r2', 'staging')).toEqual({
      release: '__other__ in staging',
      process: 'own',
      folded: ['RELEASES_FOLDED'],
    });
    expect((await ofRelease('r2', 'production')).release).toBe('__other__ in production');
    // What is known stays, and what has no revision is no release.
    expect((await ofRelease('r1', 'production', 'one more')).folded).toEqual([]);
    expect((await ofRelease('', 'staging')).release).toBe('unknown in staging');
    const deploys = await of(Deploys).list(1, { fromMs: 0, untilMs: Date.now() + DAY_MS }, 'shop');
    expect(deploys.map(({ revision, environment }) => `${revision} in ${environment}`).sort()).toEqual([
      'r1 in production',
      'r1 in staging',
    ]);
  });

  it('are counted anew when a day has passed, but a process that was folded stays where it is', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const limits = limitsOf({ releasesPerService: 1 });
    const ofRelease = (revision: string, process: string) => kept({ service: 'cart', revision, process }, limits);
    expect((await ofRelease('r1', 'a')).release).toBe('r1 in production');
    expect((await ofRelease('r2', 'b')).release).toBe('__other__ in production');
    vi.advanceTimersByTime(DAY_MS + MINUTE_MS);
    expect((await ofRelease('r2', 'b')).release).toBe('__other__ in production');
    expect((await ofRelease('r2', 'c')).release).toBe('r2 in production');
  });

  it('are refused when they are announced beyond, which makes nothing and is counted; an old time does not get round it', async () => {
    await of(Limits).quotas.change(1, { releasesPerService: 1, environmentsPerService: 1 });
    const announce = (environment: string, revision: string) => {
      const deploy = { service: 'announced', environment, revision, version: '', branch: '' };
      return of(Deploys).announce(1, { ...deploy, atMs: Date.now() - 30 * DAY_MS });
    };
    expect(await announce('production', 'r1')).toMatchObject({ revision: 'r1' });
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.advanceTimersByTime(2 * MINUTE_MS);
    await expect(announce('production', 'r2')).rejects.toMatchObject({ code: 'TOO_MANY_RELEASES', status: 400 });
    await expect(announce('staging', 'r1')).rejects.toMatchObject({ code: 'TOO_MANY_ENVIRONMENTS', status: 400 });
    await of(Limits).quotas.change(1, { releasesPerService: null, environmentsPerService: null });
    const { id } = (await of(Catalog).findService(1, 'announced'))!;
    expect((await of(Catalog).environments(id)).map(({ name }) => name)).toEqual(['production']);
    expect((await of(Catalog).revisions(id)).map(({ name }) => name)).toEqual(['r1']);
    expect(await of(Limits).hits.list(1)).toMatchObject([
      { service: 'announced', code: 'TOO_MANY_ENVIRONMENTS', outcome: 'refused', count: 1 },
      { service: 'announced', code: 'TOO_MANY_RELEASES', outcome: 'refused', count: 1 },
    ]);
  });
});

describe('the processes of a service', () => {
  it('count whatever their host is called, and however old what they send is', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const limits = limitsOf({ processesPerService: 2 });
    const processesOf = async (service: string, host: string, atMs: number) => {
      const found: string[] = [];
      for (const process of ['a', 'b', 'c', 'd']) {
        found.push((await kept({ service, host, process: `${service} ${process}` }, limits, atMs)).process);
        vi.advanceTimersByTime(MINUTE_MS + 1); // counted anew
      }
      return found;
    };
    expect(await processesOf('hosts', '__other__', Date.now())).toEqual(['own', 'own', 'other', 'other']);
    expect(await processesOf('late', 'here', Date.now() - 2 * DAY_MS)).toEqual(['own', 'own', 'other', 'other']);
  });
});
