import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionTable, StackTable } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { checkStackPaths, stackPath, stackTableOf } from '../../../../../test/support/named-stacks.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { until } from '../../../../../test/support/until.js';
import { ProfileStore1763600000001 } from '../../migrations/1763600000001-profile-store.js';
import { StackEpochs1763600000004 } from '../../migrations/1763600000004-stack-epochs.js';
import { connectDataSource, inDatabaseTransaction, runMigrations } from '../../platform/database/index.js';
import { epochOf, type EpochKey } from './epoch.js';
import { StackDictionaries, type InternedStacks } from './stack-dictionaries.js';
import { StackError } from './stack-error.js';
import { holdEpochs, readStackHeads, StackRepository } from './stack.repository.js';

let postgres: TestPostgres;
let dataSource: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await runMigrations(postgres.url, [ProfileStore1763600000001, StackEpochs1763600000004]);
  dataSource = await connectDataSource({ url: postgres.url, poolSize: 20 });
});
afterAll(async () => {
  await dataSource.destroy();
  await postgres.stop();
});

const newOwner = () => new StackDictionaries(new StackRepository(dataSource));

const NOVEMBER = epochOf(Date.UTC(2025, 10, 30));
const key = (serviceId: number, epoch = NOVEMBER): EpochKey => ({ serviceId, epoch });
const idsOf = async (owner: StackDictionaries, of: EpochKey, functions: FunctionTable, stacks: StackTable) =>
  (await owner.intern(of, functions, stacks)).ids;

describe('stacks of months', () => {
  it('keeps months apart', async () => {
    const [november, december] = [stackTableOf(['a>b>c']), stackTableOf(['c>b'])];
    const owner = newOwner();
    const ids = await idsOf(owner, key(20), november.functions, november.stacks);
    const later = await idsOf(owner, key(20, NOVEMBER + 1), december.functions, december.stacks);
    await checkStackPaths(newOwner(), key(20), ids, november.rowOfPath);
    await checkStackPaths(newOwner(), key(20, NOVEMBER + 1), later, december.rowOfPath);
    expect((await owner.listEpochs()).filter((one) => one.serviceId === 20)).toEqual([key(20), key(20, NOVEMBER + 1)]);
  });

  it('answers a reader of what was dropped with what it was or with a code, never with what came after it', async () => {
    const [owner, other] = [newOwner(), newOwner()];
    const first = stackTableOf(['a>b']);
    const { usedEpoch } = await owner.intern(key(21), first.functions, first.stacks);
    expect(await other.drop(key(21), async () => false)).toBe(true);
    expect(await other.drop(key(21), async () => false)).toBe(false);
    const second = stackTableOf(['x>y', 'z']);
    const ids = await idsOf(other, key(21), second.functions, second.stacks);
    expect((await owner.snapshot(key(21), usedEpoch)).functions.name).toEqual(['a', 'b']);
    for (const reader of [other, newOwner()])
      await expect(reader.snapshot(key(21), usedEpoch)).rejects.toMatchObject({ code: 'STACK_EPOCH_GONE' });
    await checkStackPaths(owner, key(21), ids, second.rowOfPath);
  });

  it('asks the database nothing for a state that it has', async () => {
    const { functions, stacks, rowOfPath } = stackTableOf(['a>b']);
    const owner = newOwner();
    const { ids, usedEpoch } = await owner.intern(key(22), functions, stacks);
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 22');
    const tables = await owner.snapshot(key(22), usedEpoch);
    for (const [path, row] of rowOfPath) expect(stackPath(tables, ids[row]!)).toBe(path);
  });

  it('copies the stacks of a pinned revision, so that their month can go', async () => {
    const { functions, stacks, rowOfPath } = stackTableOf(['main>read>gc', 'main>parse', 'other']);
    const owner = newOwner();
    const { ids, usedEpoch } = await owner.intern(key(23), functions, stacks);
    const paths = ['main>read>gc', 'main>parse', 'main>parse'];
    const column = Int32Array.from(paths, (path) => ids[rowOfPath.get(path)!]!);
    const pin = (one: StackDictionaries, stackIds: Int32Array) => one.pin(usedEpoch!, 7, stackIds, async (pinned) => pinned);
    const pinned = await pin(owner, column);
    // Once more, with one more of them: what is there keeps its id.
    const again = await pin(newOwner(), Int32Array.of(...column, ids[rowOfPath.get('main')!]!));
    expect(again.ids.slice(0, 3)).toEqual(pinned.ids);
    expect(await owner.drop(key(23), async () => false)).toBe(true);
    const tables = await newOwner().snapshot(key(23, -7), again.usedEpoch);
    expect(Array.from(again.ids, (id) => stackPath(tables, id))).toEqual([...paths, 'main']);
    expect(tables.stacks.length).toBe(4);
    await expect(pin(owner, column)).rejects.toMatchObject({ code: 'STACK_EPOCH_GONE' });
  });

  it('holds an epoch for whoever stores its ids, who is then seen by whoever would drop it', async () => {
    const { functions, stacks } = stackTableOf(['a']);
    const owner = newOwner();
    const { usedEpoch } = await owner.intern(key(24), functions, stacks);
    await dataSource.query('CREATE TABLE fact (service_id bigint)');
    const hasFact = async (client: ClientBase) => (await client.query('SELECT FROM fact WHERE service_id = 24')).rowCount === 1;
    let dropping: Promise<boolean> | undefined;
    await inDatabaseTransaction(dataSource, async ({ client }) => {
      await holdEpochs(client, [usedEpoch!]);
      await client.query('INSERT INTO fact VALUES (24)');
      dropping = newOwner().drop(key(24), hasFact);
      const isWaiting = async () =>
        (
          (await dataSource.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'`,
          )) as unknown[]
        ).length > 0 || undefined;
      await until(isWaiting);
      // Neither another one who stores nor a writer of pages waits for the two.
      await inDatabaseTransaction(dataSource, async (beside) => holdEpochs(beside.client, [usedEpoch!]));
    });
    expect(await dropping).toBe(false);
    await dataSource.query('DROP TABLE fact');
    expect(await newOwner().drop(key(24), async () => false)).toBe(true);
    await expect(inDatabaseTransaction(dataSource, async ({ client }) => holdEpochs(client, [usedEpoch!]))).rejects.toMatchObject(
      { code: 'STACK_EPOCH_GONE' },
    );
  });

  it('never leaves a wrong or a dangling id when four processes race in two months that are dropped all the time', async () => {
    await dataSource.query('CREATE TABLE stored (service_id bigint, epoch int, id int, path text)');
    const owners = Array.from({ length: 4 }, () => newOwner());
    const epochs = [NOVEMBER, NOVEMBER + 1];
    const rounds = 60;
    let [drops, begunAgain, writing] = [0, 0, owners.length];
    const write = async (owner: StackDictionaries, who: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const epoch = epochs[(round + who) % 2]!;
        const paths = Array.from({ length: 10 }, (_, n) => `main>f${round % 5}>g${(round * 31 + n * (who + 1)) % 60}`);
        const { functions, stacks, rowOfPath } = stackTableOf(paths);
        let attempts = 0;
        const store = async ({ ids, usedEpoch }: InternedStacks): Promise<void> => {
          attempts += 1;
          await inDatabaseTransaction(dataSource, async ({ client }) => {
            await holdEpochs(client, [usedEpoch!]);
            await client.query('INSERT INTO stored SELECT 25, $1, * FROM unnest($2::int[], $3::text[])', [
              epoch,
              [...ids],
              [...rowOfPath.keys()],
            ]);
          });
        };
        let isStored = false;
        while (!isStored) {
          try {
            await owner.storeWithIds(key(25, epoch), functions, stacks, store);
            isStored = true;
          } catch (error) {
            // Five drops in a row: whoever has sent the batch sends it again.
            if (!(error instanceof StackError && error.code === 'STACK_EPOCH_GONE')) throw error;
          }
        }
        begunAgain += attempts - 1;
        // What is stored is forgotten now and then, and nothing needs the month any more; not at last, so that something is left to check.
        if (round % 3 === 0 && round < rounds - 1) await dataSource.query('DELETE FROM stored WHERE epoch = $1', [epoch]);
      }
      writing -= 1;
    };
    const drop = async () => {
      const owner = newOwner();
      while (writing > 0) {
        for (const epoch of epochs) {
          const isDropped = await owner.drop(
            key(25, epoch),
            async (client) => (await client.query('SELECT FROM stored WHERE epoch = $1 LIMIT 1', [epoch])).rowCount === 1,
          );
          drops += isDropped ? 1 : 0;
        }
      }
    };
    const read = async () => {
      while (writing > 0) for (const epoch of epochs) await checkStored(epoch);
    };
    let checked = 0;
    /** As a reader: rows and heads of one snapshot, then the dictionary. */
    const checkStored = async (epoch: number) => {
      const reader = owners[checked % owners.length]!;
      const { rows, heads } = await inDatabaseTransaction(
        dataSource,
        async ({ client }) => ({
          rows: (await client.query('SELECT id, path FROM stored WHERE epoch = $1', [epoch])).rows as {
            id: number;
            path: string;
          }[],
          heads: await readStackHeads(client, 25, epoch, epoch),
        }),
        'REPEATABLE READ',
      );
      if (rows.length === 0) return;
      expect(heads).toHaveLength(1);
      try {
        const tables = await reader.snapshot(key(25, epoch), heads[0]);
        for (const { id, path } of rows) expect(stackPath(tables, id)).toBe(path);
        checked += rows.length;
      } catch (error) {
        // Dropped between the two: whoever reads takes another snapshot.
        if (!(error instanceof StackError && error.code === 'STACK_EPOCH_GONE')) throw error;
      }
    };
    await Promise.all([...owners.map(write), drop(), read()]);
    for (const epoch of epochs) await checkStored(epoch);
    expect(drops).toBeGreaterThan(3);
    expect(begunAgain).toBeGreaterThan(0);
    expect(checked).toBeGreaterThan(100);
    await dataSource.query('DROP TABLE stored');
  });
});
