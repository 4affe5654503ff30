import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { labelSet, type LabelSet } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { LabelSetEntity } from './label-set.entity.js';
import { DEFAULT_LIMITS, type ServiceLimits } from '../limits/index.js';
import { LabelSets } from './label-sets.repository.js';

const SERVICE = 1;
let postgres: TestPostgres;
let dataSource: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  dataSource = await connectDataSource({ url: postgres.url }, [LabelSetEntity]);
});
afterAll(async () => {
  await dataSource?.destroy();
  await postgres?.stop();
});

const plan = (value: string): LabelSet => labelSet({ plan: value, transaction: 'GET /cart' });

describe('LabelSets.intern', () => {
  it('folds what is new into one set once a service has as many as it may, and says how many', async () => {
    const sets = new LabelSets(dataSource.getRepository(LabelSetEntity));
    const [early] = await sets.intern(SERVICE, [plan('early')]);
    await dataSource.query(
      `INSERT INTO label_set (service_id, hash, labels) SELECT $1, int4send(n), '[]' FROM generate_series(1, $2::int) AS n`,
      [SERVICE, DEFAULT_LIMITS.quota.labelSetsPerService - 2],
    );
    const fresh = new LabelSets(dataSource.getRepository(LabelSetEntity));
    const [last] = await fresh.intern(SERVICE, [plan('last')]);
    const ids = await fresh.intern(SERVICE, [plan('early'), plan('last'), plan('more'), plan('even more'), []]);
    expect(ids.slice(0, 2)).toEqual([early, last]);
    expect(ids[2]).toBe(ids[3]);
    expect(ids[4]).not.toBe(ids[2]);
    const rows = (await dataSource.query('SELECT labels FROM label_set WHERE service_id = $1 AND id = $2', [
      SERVICE,
      ids[2],
    ])) as { labels: LabelSet }[];
    expect(rows[0]!.labels).toEqual([
      ['plan', '__other__'],
      ['transaction', '__other__'],
    ]);
    // Another server, which has not seen any of it, answers alike.
    expect(await new LabelSets(dataSource.getRepository(LabelSetEntity)).intern(SERVICE, [plan('third')])).toEqual([ids[2]]);
    expect(await fresh.intern(2, [plan('free')])).toHaveLength(1); // other services are not concerned
  });

  it('stays bounded when the names of labels are made up too', async () => {
    const sets = new LabelSets(dataSource.getRepository(LabelSetEntity));
    const before = await countOf();
    const hits: unknown[] = [];
    const limits: ServiceLimits = { ...DEFAULT_LIMITS, hit: (...hit) => hits.push(hit) };
    for (let round = 0; round < 4; round += 1)
      await sets.intern(
        SERVICE,
        Array.from({ length: 500 }, (_, n) => labelSet({ [`name${round}_${n}`]: 'x', transaction: 'GET /cart' })),
        limits,
      );
    expect((await countOf()) - before).toBeLessThanOrEqual(1_002);
    expect(hits).toEqual(Array(4).fill(['LABEL_SETS_FOLDED', 'folded', 500]));
  });
});

describe('the number of label sets that a service has', () => {
  const counting = (labelSetsPerService: number) => {
    const hits: unknown[] = [];
    const limits: ServiceLimits = {
      quota: { ...DEFAULT_LIMITS.quota, labelSetsPerService },
      hit: (...hit) => hits.push(hit),
    };
    return { limits, hits };
  };
  const server = () => new LabelSets(dataSource.getRepository(LabelSetEntity));
  afterEach(() => vi.useRealTimers());

  it('does not grow by those that another server had stored', async () => {
    const { limits, hits } = counting(4);
    await server().intern(4, [plan('a'), plan('b')], limits);
    const restarted = server(); // knows none of them
    for (const known of ['a', 'b']) await restarted.intern(4, [plan(known)], limits);
    await restarted.intern(4, [plan('c'), plan('d')], limits);
    expect(hits).toEqual([]);
    await restarted.intern(4, [plan('e')], limits);
    expect(hits).toHaveLength(1);
  });

  it('is counted again once a minute: others add to them and take them away', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { limits, hits } = counting(2);
    const sets = server();
    await sets.intern(5, [plan('a'), plan('b')], limits);
    await dataSource.query('DELETE FROM label_set WHERE service_id = 5');
    await sets.intern(5, [plan('c')], limits);
    expect(hits).toHaveLength(1);
    vi.advanceTimersByTime(60_001);
    await sets.intern(5, [plan('d')], limits);
    expect(hits).toHaveLength(1);
    await server().intern(5, [plan('e')], DEFAULT_LIMITS);
    vi.advanceTimersByTime(60_001);
    await sets.intern(5, [plan('f')], limits);
    expect(hits).toHaveLength(2);
  });
});

describe('the length of label sets', () => {
  const server = () => new LabelSets(dataSource.getRepository(LabelSetEntity));
  const labelsOf = async (serviceId: number, ids: number[]) => {
    const rows = (await dataSource.query('SELECT id, labels FROM label_set WHERE service_id = $1', [serviceId])) as {
      id: number;
      labels: LabelSet;
    }[];
    return ids.map((id) => rows.find((row) => row.id === id)!.labels);
  };
  /** Of so many characters in all. */
  const setOf = (characters: number, name = 'a'): LabelSet => labelSet({ [name]: 'x'.repeat(characters - name.length) });
  const hits: unknown[] = [];
  const limitsOf = (labelSetsPerService: number): ServiceLimits => ({
    quota: { ...DEFAULT_LIMITS.quota, labelSetsPerService },
    hit: (...hit) => hits.push(hit),
  });
  const folded = ['LABEL_SETS_FOLDED', 'folded'];
  afterEach(() => hits.splice(0));

  it('may be 8,192 characters; a longer one loses its values, and its names if they are too long themselves', async () => {
    const longNames = labelSet({ [`${'n'.repeat(8_190)}`]: 'x', transaction: 'GET /' });
    const sets = [setOf(8_192), setOf(8_193), longNames];
    const kept = [sets[0], [['a', '__other__']], [['transaction', '__other__']]];
    expect(await labelsOf(6, await server().intern(6, sets, limitsOf(1_000)))).toEqual(kept);
    expect(hits).toEqual([folded, folded]);
  });

  it('fills the quota of a service sooner when they are long, known ones stay', async () => {
    const long = Array.from({ length: 7 }, (_, n) => setOf(1_024, `n${n}`));
    const sets = server();
    await sets.intern(7, long.slice(0, 3), limitsOf(8)); // 8 of 512 characters, or fewer of more
    expect(hits).toEqual([]);
    const ids = await sets.intern(7, long, limitsOf(8));
    const values = (await labelsOf(7, ids)).map((labels) => labels[0]![1]);
    expect(values.slice(0, 3)).toEqual(long.slice(0, 3).map((labels) => labels[0]![1]));
    expect(values.slice(3)).toEqual(Array(4).fill('__other__'));
    expect(hits).toEqual([[...folded, 4]]);
    // Another server, which counts what is stored.
    expect(await labelsOf(7, await server().intern(7, [setOf(1_024, 'n8')], limitsOf(8)))).toEqual([[['n8', '__other__']]]);
  });
});

describe('transaction names', () => {
  const ofName = (name: string): LabelSet => labelSet({ plan: 'pro', transaction: name });
  const named = async (ids: number[]) => {
    const rows = (await dataSource.query('SELECT id, labels FROM label_set WHERE service_id = 3')) as {
      id: number;
      labels: LabelSet;
    }[];
    return ids.map((id) => rows.find((row) => row.id === id)!.labels);
  };

  it('of one service are as many as it may have; samples of more stay, with their other labels, under __other__', async () => {
    const hits: unknown[] = [];
    const limits: ServiceLimits = {
      quota: { ...DEFAULT_LIMITS.quota, transactionNamesPerService: 2 },
      hit: (...hit) => hits.push(hit),
    };
    const sets = new LabelSets(dataSource.getRepository(LabelSetEntity));
    const two = [ofName('GET /a'), ofName('GET /b')];
    expect(await named(await sets.intern(3, two, limits))).toEqual(two);
    expect(hits).toEqual([]);
    const other = ofName('__other__');
    expect(await named(await sets.intern(3, [ofName('GET /c'), ofName('GET /d'), []], limits))).toEqual([other, other, []]);
    expect(hits).toEqual([
      ['TRANSACTION_NAMES_FOLDED', 'folded'],
      ['TRANSACTION_NAMES_FOLDED', 'folded'],
    ]);
    // A known name with new labels is not one more; another server knows the names by reading them.
    const fresh = new LabelSets(dataSource.getRepository(LabelSetEntity));
    const more = [labelSet({ plan: 'free', transaction: 'GET /a' }), ofName('GET /e')];
    expect(await named(await fresh.intern(3, more, limits))).toEqual([more[0], other]);
  });
});

async function countOf(): Promise<number> {
  const rows = (await dataSource.query('SELECT count(*) AS n FROM label_set WHERE service_id = $1', [SERVICE])) as {
    n: number;
  }[];
  return rows[0]!.n;
}
