import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { Metrics } from '../observability/metrics.js';
import { connectDataSource } from './index.js';
import { StorageRoom, type StorageLimits } from './storage-room.js';

let postgres: TestPostgres;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await connectDataSource({ url: postgres.url });
});
afterAll(async () => {
  await database?.destroy();
  await postgres?.stop();
});

const roomOf = (limits: Partial<StorageLimits>) => {
  const metrics = new Metrics();
  const room = new StorageRoom(
    database,
    { dataDir: undefined, minFreeBytes: 0, maxDatabaseBytes: undefined, ...limits },
    metrics,
  );
  return { room, metrics };
};
const FULL = { code: 'STORAGE_FULL', status: 503, retryAfterSeconds: 30 };
const MIB = 2 ** 20;

describe('StorageRoom', () => {
  it('says nothing where it can see nothing', async () => {
    const { room, metrics } = roomOf({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    await room.assertRoom();
    expect(await metrics.registry.metrics()).not.toContain('storage_free_bytes');
  });

  it('is full one byte above what the database may still grow, and has room again when rows are gone and more than that is free', async () => {
    const sizeOf = async () =>
      ((await database.query('SELECT pg_database_size(current_database()) AS size')) as { size: number }[])[0]!.size;
    const before = await sizeOf();
    await expect(
      roomOf({ maxDatabaseBytes: before + 4 * MIB, minFreeBytes: 4 * MIB + 1 }).room.assertRoom(),
    ).rejects.toMatchObject(FULL);
    const { room, metrics } = roomOf({ maxDatabaseBytes: before + 4 * MIB, minFreeBytes: 4 * MIB });
    await room.assertRoom(0);
    await database.query('CREATE TABLE filling AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 2000) AS n');
    await room.assertRoom(999); // not looked again yet
    await expect(room.assertRoom(1_000)).rejects.toMatchObject(FULL);
    expect(await metrics.registry.metrics()).toContain('storage_full 1');
    await database.query('DROP TABLE filling');
    // Free again are some 4 MiB, and 5 must be: otherwise it would be full again with the next batch.
    await expect(room.assertRoom(2_000)).rejects.toMatchObject(FULL);
    const roomier = roomOf({ maxDatabaseBytes: before + 6 * MIB, minFreeBytes: 4 * MIB }).room;
    await roomier.assertRoom(0);
    await database.query('CREATE TABLE filling AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 2000) AS n');
    await expect(roomier.assertRoom(1_000)).rejects.toMatchObject(FULL);
    await database.query('DROP TABLE filling');
    await roomier.assertRoom(2_000);
  });

  it('lets nobody try for five seconds after Postgres said that its disk is full', async () => {
    const { room } = roomOf({});
    room.noticeFull(10_000);
    await expect(room.assertRoom(14_999)).rejects.toMatchObject(FULL);
    await room.assertRoom(15_000);
  });

  it.runIf(process.getuid?.() === 0)('sees the disk of the data folder fill up and become free', async () => {
    const mount = mkdtempSync(path.join(tmpdir(), 'hearth-test-room-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', mount]);
    expect(mounted.stderr.toString()).toBe('');
    try {
      const { room, metrics } = roomOf({ dataDir: mount, minFreeBytes: 8 * MIB });
      const filling = path.join(mount, 'filling');
      const freeBytes = () => statfsSync(mount).bavail * statfsSync(mount).bsize;
      const fillUpTo = (free: number) => {
        writeFileSync(filling, '');
        writeFileSync(filling, Buffer.alloc(freeBytes() - free));
        expect(freeBytes()).toBe(free);
      };
      await room.assertRoom(0);
      fillUpTo(8 * MIB);
      await room.assertRoom(1_000);
      fillUpTo(8 * MIB - 4096);
      await expect(room.assertRoom(2_000)).rejects.toMatchObject(FULL);
      expect(await metrics.registry.metrics()).toContain(`storage_free_bytes ${8 * MIB - 4096}`);
      fillUpTo(10 * MIB - 4096);
      await expect(room.assertRoom(3_000)).rejects.toMatchObject(FULL);
      fillUpTo(10 * MIB);
      await room.assertRoom(4_000);
      truncateSync(filling, 0);
    } finally {
      spawnSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    }
  });
});
