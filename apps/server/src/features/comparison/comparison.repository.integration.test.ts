import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedSelection } from '@hearth/query-contract';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { Comparison1763600000002 } from '../../migrations/1763600000002-comparison.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { ComparisonRepository } from './comparison.repository.js';

let postgres: TestPostgres;
let dataSource: DataSource;
let comparisons: ComparisonRepository;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  await runMigrations(url, [Comparison1763600000002]);
  dataSource = await connectDataSource({ url });
  comparisons = new ComparisonRepository(dataSource);
});
afterAll(async () => {
  await dataSource?.destroy();
  await postgres?.stop();
});

const selection: ResolvedSelection = { service: 'shop', type: 'cpu', fromMs: 0, untilMs: 60_000, maxNodes: 100 };
let next = 0;
const pendingComparison = async () => {
  const key = { serviceId: 1, id: `c${(next += 1)}` };
  await comparisons.addPending({ ...key, projectId: 1, baseline: selection, candidate: selection });
  return key;
};
const LEASE_MS = 60_000;

describe('ComparisonRepository', () => {
  it('gives the same row to the same question', async () => {
    const key = await pendingComparison();
    const first = await comparisons.find(key);
    const again = await comparisons.addPending({ ...key, projectId: 1, baseline: selection, candidate: selection });
    expect(again).toEqual(first);
    expect(again).toMatchObject({ status: 'pending', baseline: selection, attempts: 0, error: null });
  });

  it('lets one of ten workers have it', async () => {
    const key = await pendingComparison();
    const leases = await Promise.all(Array.from({ length: 10 }, (_, worker) => comparisons.claim(key, `w${worker}`, LEASE_MS)));
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  it('lets another finish what a dead worker had begun, and ignores the dead one if it comes back', async () => {
    const key = await pendingComparison();
    const lost = (await comparisons.claim(key, 'dead', 0))!;
    expect(await comparisons.listUnattended(100)).toContainEqual({ ...key, attempts: 1 });
    const taken = (await comparisons.claim(key, 'alive', LEASE_MS))!;
    expect(taken.attempts).toBe(2);
    expect(await comparisons.extendLease(lost, LEASE_MS)).toBe(false);
    expect(await comparisons.finish(lost, Uint8Array.of(1))).toBe(false);
    expect(await comparisons.finish(taken, Uint8Array.of(2))).toBe(true);
    expect(await comparisons.findResult(key)).toEqual(Buffer.of(2));
    expect((await comparisons.find(key))?.status).toBe('done');
    expect(await comparisons.claim(key, 'late', LEASE_MS)).toBeUndefined();
  });

  it('asks a failed one again, and leaves a finished one alone', async () => {
    const key = await pendingComparison();
    const lease = (await comparisons.claim(key, 'w', LEASE_MS))!;
    await comparisons.fail(lease, { code: 'COMPARISON_TOO_LARGE', message: 'too large' });
    expect((await comparisons.find(key))?.error).toEqual({ code: 'COMPARISON_TOO_LARGE', message: 'too large' });
    expect(await comparisons.addPending({ ...key, projectId: 1, baseline: selection, candidate: selection })).toMatchObject({
      status: 'pending',
      attempts: 0,
      error: null,
    });
  });

  it('lists nothing that a worker holds', async () => {
    const key = await pendingComparison();
    await comparisons.claim(key, 'w', LEASE_MS);
    expect((await comparisons.listUnattended(100)).map((one) => one.id)).not.toContain(key.id);
  });
});
