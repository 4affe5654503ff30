import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { connectDataSource, inDatabaseTransaction, ReadDatabase, runMigrations } from '../../platform/database/index.js';
import { LineRecordings } from '../lines/index.js';
import { ProcessSeries, ProcessSeriesRepository } from '../process-metrics/index.js';
import {
  ExemplarRepository,
  Exemplars,
  nameHash,
  TransactionWindowRepository,
  TransactionWindows,
} from '../transactions/index.js';
import type { BatchToStore } from './batch-to-store.js';
import { decodeBlock, encodeBlock } from './block-codec.js';
import { BlockRepository } from './block.repository.js';
import { ProfileStore } from './profile-store.js';
import { ReceiptRepository } from './receipt.repository.js';
import { HOUR_MS, windowStart } from './window.js';
import { WindowRepository } from './window.repository.js';

const MINUTE = 1_763_600_040_000;

let postgres: TestPostgres;
let dataSource: DataSource;
let store: ProfileStore;
let blocks: BlockRepository;
let transactionWindows: TransactionWindows;
let processSeries: ProcessSeries;
let lineRecordings: LineRecordings;
let exemplars: Exemplars;
const newStore = () =>
  new ProfileStore(
    dataSource,
    new ReceiptRepository(dataSource),
    new WindowRepository(dataSource),
    blocks,
    transactionWindows,
    processSeries,
    lineRecordings,
    exemplars,
  );

beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, MIGRATIONS);
  dataSource = await connectDataSource({ url: postgres.url, poolSize: 20 });
  blocks = new BlockRepository(dataSource);
  const reads = new ReadDatabase(dataSource);
  lineRecordings = new LineRecordings(dataSource, reads);
  exemplars = new Exemplars(new ExemplarRepository(dataSource, reads));
  transactionWindows = new TransactionWindows(new TransactionWindowRepository(dataSource, reads));
  processSeries = new ProcessSeries(new ProcessSeriesRepository(dataSource, reads));
  store = newStore();
});
afterAll(async () => {
  await dataSource.destroy();
  await postgres.stop();
});

function batch(change: Partial<BatchToStore> & { serviceId: number }): BatchToStore {
  return {
    processId: 1,
    revisionId: 1,
    environmentId: 1,
    sequence: 1,
    startMs: MINUTE,
    durationMs: 10_000,
    blocks: [
      {
        profileTypeId: 1,
        kind: 'flow',
        stackId: Int32Array.of(4, -1),
        labelSetId: Uint32Array.of(2, 1),
        value: Float64Array.of(10_101, 7),
        count: Float64Array.of(1, 1),
      },
    ],
    transactions: [
      {
        labelSetId: 2,
        kind: 'http',
        outcome: 'ok',
        count: 3,
        durationSumMicros: 600,
        sketchBucket: Int32Array.of(5, 9),
        sketchCount: Float64Array.of(2, 1),
      },
    ],
    series: [
      { name: 'rss_bytes', value: 1e8 },
      { name: 'cpu_user_micros', value: 0.5 },
    ],
    ...change,
  };
}
const exemplar: NonNullable<BatchToStore['exemplars']>[number] = {
  nameHash: nameHash('job'),
  labelSetId: 2,
  kind: 'http',
  outcome: 'ok',
  startMs: MINUTE,
  durationMicros: 600,
  cpuMicros: 1,
  awaitedMicros: 1,
  sampleCount: 1,
  keptSampleCount: 1,
  waitCount: 1,
  spanCount: 0,
  context: [],
  inputs: [],
  body: Uint8Array.of(1),
};
const countOf = async (table: string, serviceId: number) =>
  (
    (await dataSource.query(`SELECT count(*) AS count FROM ${table} WHERE service_id = $1`, [serviceId])) as { count: number }[]
  )[0]!.count;

describe('ProfileStore.storeBatches', () => {
  it('stores everything that a batch holds', async () => {
    expect(await store.storeBatches([batch({ serviceId: 1 })])).toEqual(['stored']);
    const rows = (await dataSource.query('SELECT * FROM block WHERE service_id = 1')) as Record<string, unknown>[];
    expect(rows).toMatchObject([
      {
        window_start_ms: MINUTE,
        sequence: 1,
        process_id: 1,
        start_ms: MINUTE,
        duration_ms: 10_000,
        arrived_hour_ms: windowStart(Date.now(), HOUR_MS),
      },
    ]);
    expect(decodeBlock(rows[0]!.data as Buffer, 10)).toEqual([
      { labelSetId: 1, key: Float64Array.of(0), value: Float64Array.of(7), count: Float64Array.of(1) },
      { labelSetId: 2, key: Float64Array.of(5), value: Float64Array.of(10_101), count: Float64Array.of(1) },
    ]);
    const [transactions] = await transactionWindows.read({ serviceId: 1, fromMs: MINUTE, untilMs: MINUTE + 1 });
    expect(transactions).toMatchObject({
      windowStartMs: MINUTE,
      processId: 1,
      labelSetId: 2,
      kind: 'http',
      outcome: 'ok',
      count: 3,
      durationSumMicros: 600,
    });
    expect(transactions!.sketch.toBuckets()).toEqual({ bucket: Int32Array.of(5, 9), count: Float64Array.of(2, 1) });
    expect(await processSeries.summaries({ serviceId: 1, fromMs: MINUTE, untilMs: MINUTE + 1 })).toMatchObject([
      { processId: 1, name: 'cpu_user_micros', latest: 0.5 },
      { processId: 1, name: 'rss_bytes', latest: 1e8, sum: 1e8, avg: 1e8, count: 1 },
    ]);
  });

  it('keeps a level as value x period', async () => {
    const level = { ...batch({ serviceId: 2 }).blocks[0]!, kind: 'level' as const };
    await store.storeBatches([batch({ serviceId: 2, durationMs: 9_999, blocks: [level] })]);
    const [row] = (await dataSource.query('SELECT data FROM block WHERE service_id = 2')) as { data: Buffer }[];
    expect(decodeBlock(row!.data, 10).map((one) => one.value[0])).toEqual([7 * 9_999, 10_101 * 9_999]);
  });

  it('stores a batch once, however often and wherever it is sent', async () => {
    const sent = batch({ serviceId: 3 });
    expect(await store.storeBatches([sent, sent, batch({ serviceId: 3, sequence: 2 })])).toEqual([
      'stored',
      'duplicate',
      'stored',
    ]);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () =>
        newStore().storeBatches([batch({ serviceId: 3, sequence: 3 }), batch({ serviceId: 3, sequence: 2 })]),
      ),
    );
    expect(outcomes.filter(([outcome]) => outcome === 'stored').length).toBe(1);
    expect(outcomes.every(([, outcome]) => outcome === 'duplicate')).toBe(true);
    expect(await countOf('block', 3)).toBe(3);
    expect((await transactionWindows.read({ serviceId: 3, fromMs: MINUTE, untilMs: MINUTE + 1 }))[0]!.count).toBe(9);
  });

  it('knows an upload without sequence for an hour, and stores what has no identity always', async () => {
    const upload = batch({ serviceId: 4, sequence: null, receiptKey: 'hash' });
    expect(await store.storeBatches([upload, upload])).toEqual(['stored', 'duplicate']);
    expect(await store.storeBatches([upload])).toEqual(['duplicate']);
    await dataSource.query('UPDATE upload_receipt SET received_ms = received_ms - 3600001 WHERE service_id = 4');
    expect(await store.storeBatches([upload])).toEqual(['stored']);
    const anonymous = batch({ serviceId: 4, sequence: null });
    expect(await store.storeBatches([anonymous, anonymous])).toEqual(['stored', 'stored']);
  });

  it('refuses a batch of an exemplar that cannot be stored', async () => {
    for (const wrong of [{ startMs: -1 }, { durationMicros: 0.5 }, { cpuMicros: Number.NaN }, { sampleCount: 2 ** 53 }])
      await expect(store.storeBatches([batch({ serviceId: 9, exemplars: [{ ...exemplar, ...wrong }] })])).rejects.toMatchObject({
        code: 'BATCH_COLUMNS',
      });
  });

  it('takes counts that sum to 2^40 a block, and no more', async () => {
    const counting = (sequence: number, count: number) => {
      const { blocks } = batch({ serviceId: 18 });
      return batch({ serviceId: 18, sequence, blocks: [{ ...blocks[0]!, count: Float64Array.of(count, 1) }] });
    };
    expect(await store.storeBatches([counting(1, 2 ** 40 - 1)])).toEqual(['stored']);
    await expect(store.storeBatches([counting(2, 2 ** 40)])).rejects.toMatchObject({ code: 'BATCH_COLUMNS' });
  });

  it('leaves nothing of a call that fails', async () => {
    await expect(
      store.storeBatches([batch({ serviceId: 5 }), batch({ serviceId: 5, sequence: 2, startMs: Number.NaN })]),
    ).rejects.toMatchObject({ code: 'BATCH_COLUMNS' });
    await dataSource.query(`ALTER TABLE block ADD CONSTRAINT refused CHECK (service_id <> 5)`);
    const whole = batch({ serviceId: 5, exemplars: [exemplar] });
    await expect(store.storeBatches([whole])).rejects.toThrow('refused');
    await dataSource.query('ALTER TABLE block DROP CONSTRAINT refused');
    for (const table of ['batch_receipt', 'profile_window', 'block', 'transaction_window', 'process_series', 'exemplar'])
      expect(await countOf(table, 5)).toBe(0);
    expect(await store.storeBatches([whole, whole])).toEqual(['stored', 'duplicate']);
    expect(await countOf('exemplar', 5)).toBe(1);
  });

  it('loads blocks on the connection of the database transaction: a statement that fails afterwards takes them back', async () => {
    await store.createPartitionsAhead();
    const row = {
      serviceId: 6,
      profileTypeId: 1,
      windowStartMs: MINUTE,
      revisionId: 1,
      environmentId: 1,
      arrivedHourMs: windowStart(Date.now(), HOUR_MS),
      sequence: 1,
      processId: 1,
      startMs: MINUTE,
      durationMs: 1,
      data: encodeBlock(batch({ serviceId: 6 }).blocks[0]!, 1),
    };
    const seen: number[] = [];
    await expect(
      inDatabaseTransaction(dataSource, async ({ client }) => {
        await blocks.add(
          client,
          Array.from({ length: 500 }, (_, n) => ({ ...row, sequence: n + 1 })),
        );
        seen.push((await client.query('SELECT count(*)::int AS count FROM block WHERE service_id = 6')).rows[0].count as number);
        await client.query('SELECT 1/0');
      }),
    ).rejects.toThrow('division by zero');
    expect(seen).toEqual([500]);
    expect(await countOf('block', 6)).toBe(0);
  });

  it('adds up exactly when many callers write the same rows at once, and never deadlocks', async () => {
    const callers = 12;
    const rounds = 6;
    await Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        const own = newStore();
        for (let round = 0; round < rounds; round += 1) {
          const batches = Array.from({ length: 8 }, (_, n) => {
            // The same few windows, processes and transactions, in an order of each caller's own.
            const turn = caller % 2 === 0 ? n : 7 - n;
            return batch({
              serviceId: 7 + (turn % 2),
              processId: 1 + (turn % 3),
              revisionId: 1 + (turn % 2),
              sequence: caller * 1000 + round * 10 + turn,
              startMs: MINUTE + (turn % 4) * 60_000,
            });
          });
          expect(await own.storeBatches(batches)).toEqual(batches.map(() => 'stored'));
        }
      }),
    );
    const stored = callers * rounds * 8;
    const sums = (await dataSource.query('SELECT sum(sequence) AS sum FROM profile_window WHERE service_id IN (7, 8)')) as {
      sum: string;
    }[];
    expect(Number(sums[0]!.sum)).toBe(stored);
    expect((await countOf('block', 7)) + (await countOf('block', 8))).toBe(stored);
    const gaps = await dataSource.query(`
      SELECT 1 FROM block JOIN profile_window w USING (service_id, profile_type_id, window_start_ms, revision_id, environment_id)
      WHERE service_id IN (7, 8) GROUP BY service_id, profile_type_id, window_start_ms, revision_id, environment_id
      HAVING max(block.sequence) <> count(*) OR max(w.sequence) <> count(*)`);
    expect(gaps).toEqual([]);
    const read = (
      await Promise.all(
        [7, 8].map((serviceId) => transactionWindows.read({ serviceId, fromMs: MINUTE, untilMs: MINUTE + 600_000 })),
      )
    ).flat();
    expect(read.reduce((sum, row) => sum + row.count, 0)).toBe(stored * 3);
    expect(read.reduce((sum, row) => sum + row.durationSumMicros, 0)).toBe(stored * 600);
    expect(read.reduce((sum, row) => sum + row.sketch.count, 0)).toBe(stored * 3);
  });

  it('makes its partitions beside other servers, and again when one has gone', async () => {
    const [partition] = (await blocks.partitions.list()).filter(({ startMs }) => startMs === windowStart(Date.now(), HOUR_MS));
    expect(await blocks.partitions.drop(partition!, async () => true)).toBe('dropped');
    const owners = Array.from(
      { length: 10 },
      () =>
        new ProfileStore(
          dataSource,
          new ReceiptRepository(dataSource),
          new WindowRepository(dataSource),
          new BlockRepository(dataSource),
          transactionWindows,
          processSeries,
          lineRecordings,
          exemplars,
        ),
    );
    await Promise.all(owners.map((owner, n) => owner.storeBatches([batch({ serviceId: 9, sequence: n })])));
    expect(await countOf('block', 9)).toBe(10);
    const [again] = (await blocks.partitions.list()).filter(({ startMs }) => startMs === windowStart(Date.now(), HOUR_MS));
    await owners[0]!.storeBatches([batch({ serviceId: 9, sequence: 100 })]);
    await blocks.partitions.drop(again!, async () => true);
    expect(await owners[0]!.storeBatches([batch({ serviceId: 9, sequence: 101 })])).toEqual(['stored']);
  });
});
