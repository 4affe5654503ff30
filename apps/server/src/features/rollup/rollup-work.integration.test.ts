import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { END, MINUTES, randomFlushes, randomNumbers, SERVICE, START } from '../../../../../test/support/raw-flushes.js';
import { freshRollupServer, storeFlush, type RollupServer } from '../../../../../test/support/rollup-server.js';
import { until } from '../../../../../test/support/until.js';
import { buildRollup } from './build-rollup.job.js';
import type { CoverQuery } from './cover.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
const servers: RollupServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await postgres.stop();
});
async function freshServer(): Promise<RollupServer & { url: string }> {
  const server = await freshRollupServer(postgres);
  servers.push(server);
  return server;
}

describe('RollupWork', () => {
  it('leaves a window pending whose block is damaged, and keeps its partition', async () => {
    const server = await freshServer();
    const flushes = randomFlushes(randomNumbers(5)).filter((flush) => flush.profileTypeId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await server.dataSource.query(`UPDATE block SET data = '\\x07' WHERE sequence = 1 AND window_start_ms = $1`, [START]);
    await expect(server.work.buildWindows({ serviceId: SERVICE, level: '1m', windowStartMs: START })).rejects.toThrow(
      AggregateError,
    );
    for (let minute = 1; minute < MINUTES; minute += 1)
      await server.work.buildWindows({ serviceId: SERVICE, level: '1m', windowStartMs: START + minute * 60_000 });
    expect((await server.windows.listPending(Number.MAX_SAFE_INTEGER, 1000)).every((key) => key.windowStartMs === START)).toBe(
      true,
    );
    expect((await server.windows.pendingBacklog()).oldestWindowStartMs).toBe(START);
    const later = Date.now() + 3 * 3_600_000;
    await server.work.dropBuiltPartitions(later);
    expect((await server.blocks.partitions.list()).length).toBe(1);
    const query: CoverQuery = { serviceId: SERVICE, profileTypeId: 1, fromMs: START, untilMs: END };
    await expect(server.cover.merged(query)).rejects.toMatchObject({ code: 'BLOCK_CODEC' });
  });

  it('lets a window rest that cannot be built, so that it takes no place from others', async () => {
    const server = await freshServer();
    const flushes = randomFlushes(randomNumbers(5)).filter((flush) => flush.profileTypeId === 1);
    for (const flush of flushes) await storeFlush(server, flush);
    await server.dataSource.query(`UPDATE block SET data = '\\x07' WHERE window_start_ms = $1`, [START]);
    const minute = { serviceId: SERVICE, level: '1m', windowStartMs: START } as const;
    const nowMs = Date.now();
    await expect(server.work.buildWindows(minute, nowMs)).rejects.toThrow(AggregateError);
    await server.work.buildWindows(minute, nowMs + 1); // rests: nothing to do
    const damaged = await server.windows.listPendingOf(SERVICE, START);
    expect(damaged.length).toBeGreaterThan(0);
    await server.work.queuePending('1m', nowMs + 2, 1);
    const queued: unknown[] = [];
    server.queues.work(buildRollup.name, async ({ data }) => queued.push(data), 1);
    await until(async () => (queued.length > 0 ? true : undefined));
    expect(queued).toEqual([expect.objectContaining({ windowStartMs: START + 60_000 })]);
    await expect(server.work.buildWindows(minute, nowMs + 60_000)).rejects.toThrow(AggregateError);
  });
});
