import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { randomNumbers } from '../../../../../test/support/raw-flushes.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, inDatabaseTransaction, runMigrations } from './index.js';
import { countDeletedAtOnce, TimePartitions } from './partitions.js';

const DAY_MS = 86_400_000;
const KEYS = 300;

let postgres: TestPostgres;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  database = await connectDataSource({ url: postgres.url, poolSize: 12 });
});
afterAll(async () => {
  await database?.destroy();
  await postgres?.stop();
});

/** A table of its own for each test, with two days of it. */
async function made(table: string): Promise<TimePartitions> {
  await database.query(`CREATE TABLE ${table} (service_id bigint NOT NULL, at_ms bigint NOT NULL, n int NOT NULL, data bytea NOT NULL, PRIMARY KEY (service_id, at_ms, n)) PARTITION BY RANGE (at_ms);
    ALTER TABLE ${table} ALTER data SET STORAGE EXTERNAL`);
  const partitions = new TimePartitions(database, table, { widthMs: DAY_MS, storage: 'fillfactor = 70' });
  await partitions.ensure([0, DAY_MS]);
  return partitions;
}
const fill = (table: string, serviceId: number, atMs: number, count: number) =>
  database.query(
    `INSERT INTO ${table} SELECT $1, $2, n, decode(repeat(lpad(to_hex(n), 8, '0'), 1000), 'hex') FROM generate_series(1, $3) AS n`,
    [serviceId, atMs, count],
  );
const rowsOf = async (table: string) =>
  (await database.query(`SELECT service_id, at_ms, n, md5(data) AS data FROM ${table} ORDER BY 1, 2, 3`)) as Record<
    string,
    unknown
  >[];
const tablesLike = async (prefix: string) =>
  (
    (await database.query(`SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE $1 ORDER BY 1`, [
      `${prefix}%`,
    ])) as { relname: string }[]
  ).map(({ relname }) => relname);

describe('TimePartitions', () => {
  it('tells how much of a partition some services have', async () => {
    const partitions = await made('share');
    await fill('share', 1, 5, 300);
    await fill('share', 2, 5, 100);
    const [first, second] = await partitions.list();
    const share = await partitions.shareOf(first!, [2, 3]);
    expect(share).toMatchObject({ rows: 100, allRows: 400 });
    expect(share.bytes / 100).toBeGreaterThan(4_000);
    expect((await partitions.shareOf(first!, [1, 2])).bytes).toBeGreaterThan(400 * 4_000);
    expect(await partitions.shareOf(second!, [1, 2])).toEqual({
      rows: 0,
      bytes: 0,
      before: { rows: 0, bytes: 0 },
      allRows: 0,
    });
    expect((await partitions.shareOf(first!, [1], 5)).before.rows).toBe(0);
    expect((await partitions.shareOf(first!, [1], 6)).before.rows).toBe(300);
  });

  it('gives the disk of removed rows back where they were a good part', async () => {
    const partitions = await made('removal');
    for (const serviceId of [1, 2, 3]) for (const atMs of [7, DAY_MS]) await fill('removal', serviceId, atMs, 500);
    await fill('removal', 5, 7, 1);
    const [first] = await partitions.list();
    const sizeOf = async () => (await partitions.shareOf(first!, [1, 2, 3, 5])).bytes;
    const before = await sizeOf();
    const left = async (...serviceIds: number[]) =>
      (await rowsOf('removal')).filter((row) => row['at_ms'] !== 7 || serviceIds.includes(row['service_id'] as number));
    let expected = await left(1, 2, 3);
    await partitions.removeServices(first!, [5, 99]);
    expect(await rowsOf('removal')).toEqual(expected);
    expect(await sizeOf()).toBe(before); // one of 1501 is not worth it
    expected = await left(2);
    await partitions.removeServices(first!, [1, 3]);
    expect(await rowsOf('removal')).toEqual(expected);
    expect(before / (await sizeOf())).toBeGreaterThan(2.5);
    expect(await sizeOf()).toBeGreaterThan(500 * 4_000);
    expect((await partitions.list()).map(({ startMs }) => startMs)).toEqual([0, DAY_MS]);
    expect(await tablesLike('removal')).toEqual(['removal', 'removal_h0', 'removal_h24']);
    expect(await database.query(`SELECT reloptions FROM pg_class WHERE relname = 'removal_h0'`)).toEqual([
      { reloptions: ['fillfactor=70'] },
    ]);
    expect(
      await database.query(`SELECT conname FROM pg_constraint WHERE conrelid = 'removal_h0'::regclass AND contype = 'c'`),
    ).toEqual([]);
    await fill('removal', 4, 9, 1);
    await partitions.removeServices(first!, [2, 4]);
    expect((await partitions.list()).map(({ startMs }) => startMs)).toEqual([DAY_MS]);
  });

  it.each([10, 2_000])('removes all rows of a service but those that are kept (%i of them)', async (count) => {
    const table = `kept${count}`;
    const partitions = await made(table);
    await fill(table, 1, 7, count);
    await fill(table, 2, 7, 500);
    const [first] = await partitions.list();
    await partitions.removeServices(first!, [1], "n = ANY ('{3,5}')");
    const left = await rowsOf(table);
    expect(left.filter((row) => row['service_id'] === 1).map((row) => row['n'])).toEqual([3, 5]);
    expect(left).toHaveLength(502);
    // Where only kept rows are left nothing is written again, however many they are.
    const identity = async () => database.query(`SELECT oid FROM pg_class WHERE relname = $1`, [first!.table]);
    const before = await identity();
    await partitions.removeServices(first!, [1, 2], "service_id = 2 OR n = ANY ('{3,5}')");
    expect(await identity()).toEqual(before);
    expect(await rowsOf(table)).toEqual(left);
  });

  it('writes partitions again that are mostly removed rows, and only those', async () => {
    const partitions = await made('sparse');
    await partitions.ensure([2 * DAY_MS]);
    await fill('sparse', 1, 0, 1_000);
    await fill('sparse', 1, DAY_MS, 1_000);
    const sizes = async () => {
      const all = [];
      for (const partition of await partitions.list()) all.push((await partitions.shareOf(partition, [1])).bytes);
      return all;
    };
    const [before] = await sizes();
    await database.query('DELETE FROM sparse WHERE at_ms = 0 AND n > 100');
    await database.query(`DELETE FROM sparse WHERE at_ms = ${DAY_MS} AND n > 700`);
    const expected = await rowsOf('sparse');
    await partitions.returnRoom();
    const [written, other, ...rest] = await sizes();
    expect(written).toBeLessThan(before! / 5);
    expect(other).toBe(before);
    expect(rest).toEqual([]); // the empty one
    expect(await rowsOf('sparse')).toEqual(expected);
  });

  it('reads a partition again for its room only when rows of it were deleted since', async () => {
    const partitions = await made('looked');
    await fill('looked', 1, 0, 1_000);
    await fill('looked', 1, DAY_MS, 10);
    const [first, second] = await partitions.list();
    await partitions.returnRoom();
    const other = database.createQueryRunner();
    try {
      await other.startTransaction();
      await other.query(`LOCK TABLE ${first!.table}, ${second!.table} IN ACCESS EXCLUSIVE MODE`);
      expect(await Promise.race([partitions.returnRoom(), sleep(10_000, 'it waits for one')])).toBeUndefined();
    } finally {
      await other.rollbackTransaction();
      await other.release();
    }
    const sizeOf = async () => (await partitions.shareOf(first!, [1])).bytes;
    const before = await sizeOf();
    await inDatabaseTransaction(database, async ({ client }) => {
      await client.query('DELETE FROM looked WHERE at_ms = 0 AND n > 100');
      await countDeletedAtOnce(client);
    });
    await partitions.returnRoom();
    expect(await sizeOf()).toBeLessThan(before / 5);
  });

  it('drops a partition of which nothing is left, and makes it again when something comes', async () => {
    const partitions = await made('emptied');
    await fill('emptied', 1, 3, 10);
    const [first] = await partitions.list();
    await database.query('DELETE FROM emptied');
    expect(await partitions.rewrite(first!)).toMatchObject({ bytesAfter: 0 });
    expect((await partitions.list()).map(({ startMs }) => startMs)).toEqual([DAY_MS]);
    expect(await partitions.rewrite(first!)).toBe('gone');
    await partitions.ensure([3]);
    await fill('emptied', 1, 3, 10);
    expect(await rowsOf('emptied')).toHaveLength(10);
  });

  it.each([1, 2, 3])('loses and doubles nothing while others write, delete and read (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const table = `busy${seed}`;
    const partitions = await made(table);
    const expected = new Map<string, string>();
    let isOver = false;
    // Each writer has keys of its own, so that what is there in the end is known.
    const write = async (writer: number) => {
      for (let turn = 0; !isOver || turn < 30; turn += 1) {
        const key = below(KEYS) * 4 + writer;
        if (random() < 0.3) {
          await database.query(`DELETE FROM ${table} WHERE service_id = 1 AND at_ms = 5 AND n = $1`, [key]);
          expected.delete(String(key));
        } else {
          const data = Buffer.alloc(1_500, below(256));
          await database.query(
            `INSERT INTO ${table} VALUES (1, 5, $1, $2) ON CONFLICT (service_id, at_ms, n) DO UPDATE SET data = excluded.data`,
            [key, data],
          );
          expected.set(String(key), data.toString('hex'));
        }
      }
    };
    let reads = 0;
    const read = async () => {
      while (!isOver) {
        const [row] = (await database.query(
          `SELECT count(*) AS n, count(DISTINCT n) AS keys FROM ${table} WHERE service_id = 2`,
        )) as {
          n: number;
          keys: number;
        }[];
        expect(row).toEqual({ n: 500, keys: 500 });
        reads += 1;
      }
    };
    await fill(table, 2, 6, 500);
    const rewrite = async () => {
      const [first] = await partitions.list();
      const outcomes = await Promise.all([partitions.rewrite(first!), partitions.rewrite(first!)]);
      for (let more = 0; more < 4; more += 1) outcomes.push(await partitions.rewrite(first!));
      isOver = true;
      return outcomes;
    };
    const [outcomes] = await Promise.all([rewrite(), write(0), write(1), write(2), write(3), read(), read()]);
    expect(outcomes.filter((outcome) => typeof outcome !== 'string').length).toBeGreaterThan(3);
    expect(reads).toBeGreaterThan(5);
    const stored = (await database.query(`SELECT n, encode(data, 'hex') AS data FROM ${table} WHERE service_id = 1`)) as {
      n: number;
      data: string;
    }[];
    expect(new Map(stored.map(({ n, data }) => [String(n), data]))).toEqual(expected);
  });

  it('copies much that changed meanwhile beside its writers, and has all of it', async () => {
    const partitions = await made('churned');
    await fill('churned', 1, 5, 4_000);
    const [first] = await partitions.list();
    const rounds = 8;
    const write = async () => {
      for (let round = 1; round <= rounds; round += 1)
        await database.query('UPDATE churned SET data = $1 WHERE n % $2 = $3', [Buffer.of(round), rounds, round - 1]);
    };
    const [rewritten] = await Promise.all([partitions.rewrite(first!), write()]);
    expect(rewritten).toHaveProperty('bytesAfter');
    const counts = await database.query('SELECT data, count(*) AS n FROM churned GROUP BY 1 ORDER BY 1');
    expect(counts).toEqual(Array.from({ length: rounds }, (_, round) => ({ data: Buffer.of(round + 1), n: 500 })));
  });

  it('is whole when a rewrite is killed, and the next one takes away what it left', async () => {
    const partitions = await made('killed');
    await fill('killed', 1, 5, 400);
    const [first] = await partitions.list();
    // As it is killed between its steps: noting has begun, part is copied.
    await database.query(`CREATE TABLE killed_h0_changed AS SELECT service_id, at_ms, n FROM killed_h0 WITH NO DATA;
      CREATE TRIGGER note_changed_key AFTER INSERT OR UPDATE OR DELETE ON killed_h0 FOR EACH ROW
        EXECUTE FUNCTION note_changed_key('killed_h0_changed', '($1).service_id, ($1).at_ms, ($1).n');
      CREATE TABLE killed_h0_new (LIKE killed INCLUDING ALL);
      INSERT INTO killed_h0_new SELECT * FROM killed_h0 LIMIT 100`);
    await database.query('DELETE FROM killed WHERE n > 200');
    const expected = await rowsOf('killed');
    expect(await partitions.rewrite(first!)).toHaveProperty('bytesAfter');
    expect(await rowsOf('killed')).toEqual(expected);
    expect(await tablesLike('killed')).toEqual(['killed', 'killed_h0', 'killed_h24']);
    await database.query('CREATE TABLE killed_h0_new (LIKE killed INCLUDING ALL)');
    expect(await partitions.drop(first!, async () => true)).toBe('dropped');
    expect(await tablesLike('killed')).toEqual(['killed', 'killed_h24']);
  });

  it('is whole when Postgres ends the connection of a rewrite at any moment', async () => {
    const partitions = await made('cut');
    await fill('cut', 1, 5, 300);
    const expected = await rowsOf('cut');
    const [first] = await partitions.list();
    const random = randomNumbers(5);
    let cuts = 0;
    for (let round = 0; round < 15; round += 1) {
      const own = await connectDataSource({ url: postgres.url, poolSize: 4 });
      let isOver = false;
      const rewriting = new TimePartitions(own, 'cut', { widthMs: DAY_MS }).rewrite(first!).then(
        () => (isOver = true),
        () => {
          isOver = true;
          cuts += 1;
        },
      );
      // At one of the first moments at which it is seen to work.
      for (let seen = Math.floor(random() * 5); !isOver && seen >= 0;) {
        const found = (await database.query(
          `SELECT ${seen === 0 ? 'pg_terminate_backend(pid)' : 'pid'} FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND query ~ 'cut_h0|LOCK TABLE cut' AND query !~ 'pg_advisory' AND state <> 'idle'`,
        )) as unknown[];
        if (found.length > 0) seen -= 1;
      }
      await rewriting;
      await own.destroy().catch(() => undefined);
      expect(await rowsOf('cut')).toEqual(expected);
    }
    expect(cuts).toBeGreaterThan(0);
    expect(await partitions.rewrite(first!)).toHaveProperty('bytesAfter');
    expect(await rowsOf('cut')).toEqual(expected);
    expect(await tablesLike('cut')).toEqual(['cut', 'cut_h0', 'cut_h24']);
  });
});
