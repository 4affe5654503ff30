import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionsRootFirst, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { until } from '../../../../../test/support/until.js';
import { ProfileStore1763600000001 } from '../../migrations/1763600000001-profile-store.js';
import { StackEpochs1763600000004 } from '../../migrations/1763600000004-stack-epochs.js';
import { connectDataSource, inDatabaseTransaction, runMigrations } from '../../platform/database/index.js';
import { epochOf, type EpochKey } from './epoch.js';
import { StackDictionaries } from './stack-dictionaries.js';
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

const newOwner = (maxBytes?: number) =>
  new StackDictionaries(new StackRepository(dataSource), maxBytes === undefined ? {} : { maxBytes });

const NOVEMBER = epochOf(Date.UTC(2025, 10, 30));
const key = (serviceId: number, epoch = NOVEMBER): EpochKey => ({ serviceId, epoch });
const idsOf = async (owner: StackDictionaries, of: EpochKey, functions: FunctionTable, stacks: StackTable) =>
  (await owner.intern(of, functions, stacks)).ids;

/** Paths as a local table: `['main', 'main>read']`. Row n + 1 is the function named so. */
function localTable(paths: readonly string[]): { functions: FunctionTable; stacks: StackTable; rowOfPath: Map<string, number> } {
  const names: string[] = [];
  const parent: number[] = [];
  const functionRow: number[] = [];
  const rowOfPath = new Map<string, number>();
  for (const path of paths) {
    const parts = path.split('>');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join('>');
      if (rowOfPath.has(prefix)) continue;
      const name = parts[depth - 1]!;
      if (!names.includes(name)) names.push(name);
      rowOfPath.set(prefix, parent.push(depth === 1 ? -1 : rowOfPath.get(parts.slice(0, depth - 1).join('>'))!) - 1);
      functionRow.push(names.indexOf(name));
    }
  }
  const empty = names.map(() => '');
  return {
    functions: { length: names.length, name: names, package: empty, file: empty },
    stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    rowOfPath,
  };
}

const pathOf = ({ functions, stacks }: { functions: FunctionTable; stacks: StackTable }, id: number) =>
  functionsRootFirst(stacks, id)
    .map((row) => functions.name[row])
    .join('>');

/** Fails unless every path leads back to itself. @returns How many were checked. */
async function checkPaths(
  owner: StackDictionaries,
  of: EpochKey,
  ids: Int32Array,
  rowOfPath: Map<string, number>,
): Promise<number> {
  const tables = await owner.snapshot(of);
  for (const [path, row] of rowOfPath) expect(pathOf(tables, ids[row]!)).toBe(path);
  return rowOfPath.size;
}

describe('StackDictionaries', () => {
  it('gives one stack one id, in this process and in the next', async () => {
    const { functions, stacks, rowOfPath } = localTable(['main>read', 'main>parse>gc']);
    const owner = newOwner();
    const ids = await idsOf(owner, key(1), functions, stacks);
    expect(await idsOf(owner, key(1), functions, stacks)).toEqual(ids);
    expect(await idsOf(newOwner(), key(1), functions, stacks)).toEqual(ids);
    await checkPaths(newOwner(), key(1), ids, rowOfPath);
  });

  it('keeps services apart', async () => {
    const one = localTable(['a>b>c']);
    const two = localTable(['c>b>a']);
    const owner = newOwner();
    const idsOfTwo = await idsOf(owner, key(11), two.functions, two.stacks);
    await idsOf(owner, key(10), one.functions, one.stacks);
    await checkPaths(owner, key(11), idsOfTwo, two.rowOfPath);
    expect((await owner.snapshot(key(10))).stacks.length).toBe(3);
  });

  it('shows in a snapshot what another process committed before it', async () => {
    const [writer, reader] = [newOwner(), newOwner()];
    expect((await reader.snapshot(key(2))).stacks.length).toBe(0);
    const first = localTable(['a>b']);
    await idsOf(writer, key(2), first.functions, first.stacks);
    const before = await reader.snapshot(key(2));
    const more = localTable(['a>b>c', 'd']);
    await idsOf(writer, key(2), more.functions, more.stacks);
    expect(before.stacks.length).toBe(2);
    expect((await reader.snapshot(key(2))).stacks.length).toBe(4);
    expect(before.functions.length).toBe(2);
    expect(before.stacks.parent.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('never gives a wrong id to four processes that race on the same new stacks', async () => {
    const owners = Array.from({ length: 4 }, () => newOwner());
    const rounds = 40;
    let checked = 0;
    await Promise.all(
      owners.map(async (owner, who) => {
        for (let round = 0; round < rounds; round += 1) {
          // All meet the same stacks, in orders of their own.
          const turn = who % 2 === 0 ? round : rounds - 1 - round;
          const paths = Array.from({ length: 30 }, (_, n) => `main>f${turn % 7}>g${(turn * 31 + n * (who + 1)) % 200}>h${n}`);
          const { functions, stacks, rowOfPath } = localTable(paths);
          const ids = await idsOf(owner, key(3), functions, stacks);
          checked += await checkPaths(owner, key(3), ids, rowOfPath);
        }
      }),
    );
    expect(checked).toBeGreaterThan(4 * rounds * 30);
    const pages = (await dataSource.query(
      'SELECT count(*) AS count, max(version) AS last FROM stack_page WHERE service_id = 3',
    )) as { count: number; last: number }[];
    expect(pages[0]!.count).toBe(pages[0]!.last);
    const fresh = await newOwner().snapshot(key(3));
    const paths = new Set(Array.from({ length: fresh.stacks.length }, (_, id) => pathOf(fresh, id)));
    expect(paths.size).toBe(fresh.stacks.length);
  });

  it('serves many calls at once within one process', async () => {
    const owner = newOwner();
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const { functions, stacks, rowOfPath } = localTable([`main>a${n % 20}>b`, `main>a${(n + 7) % 25}>c${n}`]);
        await checkPaths(owner, key(4), await idsOf(owner, key(4), functions, stacks), rowOfPath);
      }),
    );
    const pages = (await dataSource.query('SELECT count(*) AS count FROM stack_page WHERE service_id = 4')) as {
      count: number;
    }[];
    expect(pages[0]!.count).toBeLessThan(60);
  });

  it('keeps its dictionary when the database transaction fails, and goes on', async () => {
    const owner = newOwner();
    const first = localTable(['a']);
    await idsOf(owner, key(5), first.functions, first.stacks);
    await dataSource.query(`ALTER TABLE stack_page ADD CONSTRAINT no_second_page CHECK (service_id <> 5 OR version < 2)`);
    const second = localTable(['a>b']);
    await expect(idsOf(owner, key(5), second.functions, second.stacks)).rejects.toThrow('no_second_page');
    await dataSource.query('ALTER TABLE stack_page DROP CONSTRAINT no_second_page');
    expect((await owner.snapshot(key(5))).stacks.length).toBe(1);
    await checkPaths(owner, key(5), await idsOf(owner, key(5), second.functions, second.stacks), second.rowOfPath);
  });

  it('commits no page that could not be read again, and goes on with what there is', async () => {
    const owner = new StackDictionaries(new StackRepository(dataSource), { maxPageBytes: 1000 });
    const first = localTable(['a']);
    await idsOf(owner, key(8), first.functions, first.stacks);
    const tooLong = localTable(['x'.repeat(1001)]);
    const second = localTable(['a>b']);
    const [refused, taken] = await Promise.allSettled([
      idsOf(owner, key(8), tooLong.functions, tooLong.stacks),
      idsOf(owner, key(8), second.functions, second.stacks), // shares its page, until that is refused
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'STACK_DICTIONARY_FULL' } });
    if (taken.status === 'rejected') throw taken.reason;
    await checkPaths(newOwner(), key(8), taken.value, second.rowOfPath);
    expect((await newOwner().snapshot(key(8))).stacks.length).toBe(2);
  });

  it('begins again when the database has gone back', async () => {
    const owner = newOwner();
    const first = localTable(['a>b']);
    await idsOf(owner, key(12), first.functions, first.stacks);
    const second = localTable(['a>b>c', 'd']);
    await idsOf(owner, key(12), second.functions, second.stacks);
    // As after a restore from a backup of the moment before.
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 12 AND version > 1');
    await dataSource.query('UPDATE stack_head SET version = 1 WHERE service_id = 12');
    expect((await owner.snapshot(key(12))).stacks.length).toBe(2);
    const third = localTable(['x>y']);
    await checkPaths(newOwner(), key(12), await idsOf(owner, key(12), third.functions, third.stacks), third.rowOfPath);
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 12 AND version > 1');
    await dataSource.query('UPDATE stack_head SET version = 1 WHERE service_id = 12');
    const ids = await idsOf(owner, key(12), second.functions, second.stacks);
    await checkPaths(newOwner(), key(12), ids, second.rowOfPath);
  });

  it('forgets the service that was not used for longest when memory is bounded, and loads it again', async () => {
    const owner = newOwner(1);
    const { functions, stacks, rowOfPath } = localTable(['a>b', 'a>c']);
    const ids = await idsOf(owner, key(6), functions, stacks);
    const withTwo = owner.bytes;
    await idsOf(owner, key(7), functions, stacks);
    expect(owner.bytes).toBeLessThanOrEqual(withTwo);
    expect(await idsOf(owner, key(6), functions, stacks)).toEqual(ids);
    await checkPaths(owner, key(6), ids, rowOfPath);
  });

  it('keeps within its memory while more is used at once than fits, and answers rightly all the time', async () => {
    const { functions, stacks, rowOfPath } = localTable(Array.from({ length: 400 }, (_, n) => `main>f${n % 20}>g${n}`));
    const measured = newOwner();
    await measured.intern(key(40), functions, stacks);
    const owner = newOwner(measured.bytes * 2);
    const services = Array.from({ length: 6 }, (_, at) => 40 + at);
    let largest = 0;
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        services.map(async (service) => {
          const epoch = NOVEMBER + ((service + round) % 2);
          await checkPaths(owner, key(service, epoch), await idsOf(owner, key(service, epoch), functions, stacks), rowOfPath);
        }),
      );
      largest = Math.max(largest, owner.bytes);
    }
    expect(largest).toBeGreaterThan(measured.bytes);
    expect(largest).toBeLessThanOrEqual(measured.bytes * 2);
  });

  it('answers damaged pages with a code', async () => {
    const { functions, stacks } = localTable(['a>b']);
    await idsOf(newOwner(), key(8), functions, stacks);
    await dataSource.query(`UPDATE stack_page SET data = substring(data for 5) WHERE service_id = 8`);
    await expect(newOwner().snapshot(key(8))).rejects.toMatchObject({ code: 'STACK_PAGE_DAMAGED' });
    await expect(idsOf(newOwner(), key(8), functions, stacks)).rejects.toMatchObject({ code: 'STACK_PAGE_DAMAGED' });
    await dataSource.query(`UPDATE stack_page SET data = '\\x09' WHERE service_id = 8`);
    await expect(newOwner().snapshot(key(8))).rejects.toMatchObject({ code: 'STACK_PAGE_CODEC' });
  });

  it('keeps any name: NUL, lone surrogates, separators, __proto__', async () => {
    const names = ['\0', '\u{D800}', '1:1:', '__proto__', '<b>"x"</b>', '\u{1F525}', ''];
    const functions = { length: names.length, name: names, package: names.map(() => 'p:1'), file: [...names].reverse() };
    const stacks = {
      length: names.length,
      parent: new Int32Array(names.length).fill(-1),
      functionRow: Uint32Array.from(names.keys()),
    };
    const ids = await idsOf(newOwner(), key(9), functions, stacks);
    const tables = await newOwner().snapshot(key(9));
    expect(Array.from(ids, (id) => tables.functions.name[tables.stacks.functionRow[id]!])).toEqual(names);
  });

  it('keeps months apart', async () => {
    const [november, december] = [localTable(['a>b>c']), localTable(['c>b'])];
    const owner = newOwner();
    const ids = await idsOf(owner, key(20), november.functions, november.stacks);
    const later = await idsOf(owner, key(20, NOVEMBER + 1), december.functions, december.stacks);
    await checkPaths(newOwner(), key(20), ids, november.rowOfPath);
    await checkPaths(newOwner(), key(20, NOVEMBER + 1), later, december.rowOfPath);
    expect((await owner.listEpochs()).filter((one) => one.serviceId === 20)).toEqual([key(20), key(20, NOVEMBER + 1)]);
  });

  it('answers a reader of what was dropped with what it was or with a code, never with what came after it', async () => {
    const [owner, other] = [newOwner(), newOwner()];
    const first = localTable(['a>b']);
    const { usedEpoch } = await owner.intern(key(21), first.functions, first.stacks);
    expect(await other.drop(key(21), async () => false)).toBe(true);
    expect(await other.drop(key(21), async () => false)).toBe(false);
    const second = localTable(['x>y', 'z']);
    const ids = await idsOf(other, key(21), second.functions, second.stacks);
    expect((await owner.snapshot(key(21), usedEpoch)).functions.name).toEqual(['a', 'b']);
    for (const reader of [other, newOwner()])
      await expect(reader.snapshot(key(21), usedEpoch)).rejects.toMatchObject({ code: 'STACK_EPOCH_GONE' });
    await checkPaths(owner, key(21), ids, second.rowOfPath);
  });

  it('asks the database nothing for a state that it has', async () => {
    const { functions, stacks, rowOfPath } = localTable(['a>b']);
    const owner = newOwner();
    const { ids, usedEpoch } = await owner.intern(key(22), functions, stacks);
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 22');
    const tables = await owner.snapshot(key(22), usedEpoch);
    for (const [path, row] of rowOfPath) expect(pathOf(tables, ids[row]!)).toBe(path);
  });

  it('copies the stacks of a pinned revision, so that their month can go', async () => {
    const { functions, stacks, rowOfPath } = localTable(['main>read>gc', 'main>parse', 'other']);
    const owner = newOwner();
    const { ids, usedEpoch } = await owner.intern(key(23), functions, stacks);
    const paths = ['main>read>gc', 'main>parse', 'main>parse'];
    const column = Int32Array.from(paths, (path) => ids[rowOfPath.get(path)!]!);
    const pinned = await owner.pin(usedEpoch!, 7, column);
    // Once more, with one more of them: what is there keeps its id.
    const again = await newOwner().pin(usedEpoch!, 7, Int32Array.of(...column, ids[rowOfPath.get('main')!]!));
    expect(again.ids.slice(0, 3)).toEqual(pinned.ids);
    expect(await owner.drop(key(23), async () => false)).toBe(true);
    const tables = await newOwner().snapshot(key(23, -7), again.usedEpoch);
    expect(Array.from(again.ids, (id) => pathOf(tables, id))).toEqual([...paths, 'main']);
    expect(tables.stacks.length).toBe(4);
    await expect(owner.pin(usedEpoch!, 7, column)).rejects.toMatchObject({ code: 'STACK_EPOCH_GONE' });
  });

  it('holds an epoch for whoever stores its ids, who is then seen by whoever would drop it', async () => {
    const { functions, stacks } = localTable(['a']);
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
        const { functions, stacks, rowOfPath } = localTable(paths);
        let attempts = 0;
        await owner.storeWithIds(key(25, epoch), functions, stacks, async ({ ids, usedEpoch }) => {
          attempts += 1;
          await inDatabaseTransaction(dataSource, async ({ client }) => {
            await holdEpochs(client, [usedEpoch!]);
            await client.query('INSERT INTO stored SELECT 25, $1, * FROM unnest($2::int[], $3::text[])', [
              epoch,
              [...ids],
              [...rowOfPath.keys()],
            ]);
          });
        });
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
        for (const { id, path } of rows) expect(pathOf(tables, id)).toBe(path);
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
