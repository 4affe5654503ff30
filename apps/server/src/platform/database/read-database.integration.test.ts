import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { startReplica, type TestReplica } from '../../../../../test/support/replica.js';
import { until } from '../../../../../test/support/until.js';
import { connectDataSource } from './data-source.js';
import { inDatabaseTransaction } from './database-transaction.js';
import { ReadDatabase, type Freshness } from './read-database.js';

const MAX_LAG_MS = 1_500;

let postgres: TestPostgres;
let replica: TestReplica;
let primary: DataSource;
const open: ReadDatabase[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres({ durable: true }); // what is not written at its commit, no position tells of
  primary = await connectDataSource({ url: postgres.url });
  await primary.query('CREATE TABLE fact (n int, at_ms float8)');
  // A question that stands in the way of replaying is cancelled at once.
  replica = await startReplica(postgres, { max_standby_streaming_delay: '0' });
});
afterEach(async () => {
  for (const reads of open.splice(0)) await reads.onApplicationShutdown();
});
afterAll(async () => {
  await primary?.destroy();
  await replica?.stop();
  await postgres?.stop();
});

function watching(url = replica.url, onChange: (message: string, detail: object) => void = () => undefined) {
  const reads = new ReadDatabase(primary, { replica: { url, maxLagMs: MAX_LAG_MS, poolSize: 4 }, onChange });
  open.push(reads);
  reads.onApplicationBootstrap();
  return reads;
}
async function answeredBy(reads: ReadDatabase, freshness: Freshness = 'recent'): Promise<'primary' | 'replica'> {
  const port = `SELECT current_setting('port')::int AS port`;
  const [row] = (await reads.read(freshness, (dataSource) => dataSource.query(port))) as { port: number }[];
  return row!.port === postgres.port ? 'primary' : 'replica';
}
const untilAnsweredBy = (reads: ReadDatabase, database: 'primary' | 'replica') =>
  until(async () => ((await answeredBy(reads)) === database ? true : undefined), 20_000);

describe('ReadDatabase', () => {
  it('asks the replica what may be recent, and the primary what must be the latest', async () => {
    const reads = watching();
    expect(await answeredBy(reads), 'nothing is known of the replica yet').toBe('primary');
    await untilAnsweredBy(reads, 'replica');
    expect(await answeredBy(reads, 'latest')).toBe('primary');
    expect(reads.lagMs).toBeLessThan(MAX_LAG_MS);
  });

  it('never answers with less than was committed DATABASE_READ_MAX_LAG_MS before, while the replica stands still and goes on', async () => {
    const reads = watching();
    await untilAnsweredBy(reads, 'replica');
    const answered = { primary: 0, replica: 0 };
    const committed: { n: number; atMs: number }[] = [];
    const untilMs = performance.now() + 12_000;
    const writing = (async () => {
      for (let n = 1; performance.now() < untilMs; n += 1) {
        await primary.query('INSERT INTO fact VALUES ($1)', [n]);
        committed.push({ n, atMs: performance.now() });
        await sleep(20);
      }
    })();
    const pausing = (async () => {
      while (performance.now() < untilMs) {
        await sleep(1_500);
        await replica.pauseReplay();
        await sleep(2_500);
        await replica.resumeReplay();
      }
    })();
    const faults: object[] = [];
    while (performance.now() < untilMs) {
      const askedMs = performance.now();
      const [row] = (await reads.read('recent', (dataSource) =>
        dataSource.query('SELECT coalesce(max(n), 0) AS n, pg_is_in_recovery() AS is_replica FROM fact'),
      )) as { n: number; is_replica: boolean }[];
      answered[row!.is_replica ? 'replica' : 'primary'] += 1;
      const atLeast = committed.findLast(({ atMs }) => atMs < askedMs - MAX_LAG_MS)?.n ?? 0;
      if (row!.n < atLeast) faults.push({ ...row, atLeast });
      await sleep(10);
    }
    await Promise.all([writing, pausing]);
    expect(faults).toEqual([]);
    expect(answered.replica, 'it was asked').toBeGreaterThan(50);
    expect(answered.primary, 'it was too far behind').toBeGreaterThan(20);
    await untilAnsweredBy(reads, 'replica');
  });

  it('takes the primary for a question that replaying the log cancels', async () => {
    await primary.query('CREATE TABLE passing (n int)');
    await replica.caughtUp();
    const reads = watching();
    await untilAnsweredBy(reads, 'replica');
    const answers: boolean[] = [];
    const answer = reads.read('recent', (dataSource) =>
      inDatabaseTransaction(dataSource, async ({ client }) => {
        const [row] = (await client.query('SELECT pg_is_in_recovery() AS is_replica')).rows as { is_replica: boolean }[];
        answers.push(row!.is_replica);
        if (row!.is_replica) {
          await client.query('LOCK TABLE passing IN ACCESS SHARE MODE');
          await primary.query('DROP TABLE passing');
        }
        await client.query('SELECT pg_sleep(0.5)');
        return 'answered';
      }),
    );
    expect(await answer).toBe('answered');
    expect(answers).toEqual([true, false]);
    await untilAnsweredBy(reads, 'replica');
  });

  it('leaves a fault of the question itself alone', async () => {
    const reads = watching();
    await untilAnsweredBy(reads, 'replica');
    let tries = 0;
    const fault = reads.read('recent', async (dataSource) => {
      tries += 1;
      await dataSource.query('SELECT 1 / 0');
    });
    await expect(fault).rejects.toThrow('division by zero');
    expect(tries).toBe(1);
  });

  it('goes on with the primary when the replica is killed under a question, and comes back to it', async () => {
    const changes: string[] = [];
    const reads = watching(replica.url, (message) => changes.push(message));
    await untilAnsweredBy(reads, 'replica');
    const answer = reads.read('recent', async (dataSource) => {
      const [row] = (await dataSource.query('SELECT pg_is_in_recovery() AS is_replica')) as { is_replica: boolean }[];
      if (row!.is_replica) await Promise.all([dataSource.query('SELECT pg_sleep(30)'), sleep(100).then(() => replica.kill())]);
      return row!.is_replica ? 'replica' : 'primary';
    });
    expect(await answer).toBe('primary');
    for (let question = 0; question < 20; question += 1) expect(await answeredBy(reads)).toBe('primary');
    expect(reads.lagMs).toBe(Infinity);
    await replica.startAgain();
    await untilAnsweredBy(reads, 'replica');
    expect(changes).toEqual([
      'questions go to the replica',
      'questions go to the primary: the replica cannot be asked',
      'questions go to the replica',
    ]);
  });

  it('does not ask what is no replica of this database, and says so', async () => {
    const other = await startTestPostgres();
    try {
      for (const url of [postgres.url, other.url]) {
        const told: object[] = [];
        const reads = watching(url, (_, detail) => told.push(detail));
        await sleep(2_500);
        expect(await answeredBy(reads)).toBe('primary');
        expect(reads.lagMs).toBe(Infinity);
        expect(told).toEqual([{ reason: expect.stringContaining('no streaming replica') as string }]);
      }
    } finally {
      await other.stop();
    }
  });

  it('does not ask a replica that was made a primary', async () => {
    const reads = watching();
    await untilAnsweredBy(reads, 'replica');
    await replica.promote();
    await untilAnsweredBy(reads, 'primary');
    expect(reads.lagMs).toBe(Infinity);
  });

  it('starts and stops with a replica that is away', async () => {
    const reads = watching('postgres://hearth:x@127.0.0.1:1/hearth');
    await sleep(1_500);
    expect(await answeredBy(reads)).toBe('primary');
  });
});
