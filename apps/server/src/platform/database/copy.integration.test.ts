import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { copyIn, CopyWriter } from './copy.js';
import { connectDataSource } from './data-source.js';
import { inDatabaseTransaction } from './database-transaction.js';

let postgres: TestPostgres;
let dataSource: DataSource;
const uncaught: unknown[] = [];
const onUncaught = (error: unknown) => uncaught.push(error);

beforeAll(async () => {
  postgres = await startTestPostgres();
  dataSource = await connectDataSource({ url: postgres.url });
  await dataSource.query('CREATE TABLE piece (data bytea CHECK (length(data) < 10))');
  process.on('uncaughtException', onUncaught);
});
afterAll(async () => {
  process.off('uncaughtException', onUncaught);
  await dataSource?.destroy();
  await postgres?.stop();
});

function rowsOf(bytes: number, count: number): Buffer {
  const writer = new CopyWriter();
  for (let row = 0; row < count; row += 1) {
    writer.row(1);
    writer.bytes(new Uint8Array(bytes));
  }
  return writer.finish();
}
const copy = (rows: Buffer) => inDatabaseTransaction(dataSource, ({ client }) => copyIn(client, 'piece (data)', rows));

describe('copyIn', () => {
  it('rejects when Postgres refuses many bytes, and ends nothing else', async () => {
    await expect(copy(rowsOf(10_000, 3_000))).rejects.toThrow('violates check constraint');
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    expect(uncaught).toEqual([]);
    await copy(rowsOf(9, 3));
    expect(await dataSource.query('SELECT count(*) AS n FROM piece')).toEqual([{ n: 3 }]);
  });

  it('rejects when the connection ends under it, and ends nothing else', async () => {
    const cut = inDatabaseTransaction(dataSource, async ({ client }) => {
      const [{ pid }] = (await client.query('SELECT pg_backend_pid() AS pid')).rows as [{ pid: number }];
      const copying = copyIn(client, 'piece (data)', rowsOf(9, 3_000_000));
      await Promise.all([copying, dataSource.query('SELECT pg_terminate_backend($1)', [pid])]);
    });
    await expect(cut).rejects.toThrow(/terminat/);
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    expect(uncaught).toEqual([]);
  });
});
