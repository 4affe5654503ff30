import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionTable, StackTable } from '@hearth/profile-model';
import type { DataSource } from 'typeorm';
import { checkStackPaths, stackPath, stackTableOf } from '../../../../../test/support/named-stacks.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { ProfileStore1763600000001 } from '../../migrations/1763600000001-profile-store.js';
import { StackEpochs1763600000004 } from '../../migrations/1763600000004-stack-epochs.js';
import { connectDataSource, runMigrations } from '../../platform/database/index.js';
import { epochOf, type EpochKey } from './epoch.js';
import { StackDictionaries } from './stack-dictionaries.js';
import { StackRepository } from './stack.repository.js';

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

describe('StackDictionaries', () => {
  it('gives one stack one id, in this process and in the next', async () => {
    const { functions, stacks, rowOfPath } = stackTableOf(['main>read', 'main>parse>gc']);
    const owner = newOwner();
    const ids = await idsOf(owner, key(1), functions, stacks);
    expect(await idsOf(owner, key(1), functions, stacks)).toEqual(ids);
    expect(await idsOf(newOwner(), key(1), functions, stacks)).toEqual(ids);
    await checkStackPaths(newOwner(), key(1), ids, rowOfPath);
  });

  it('keeps services apart', async () => {
    const one = stackTableOf(['a>b>c']);
    const two = stackTableOf(['c>b>a']);
    const owner = newOwner();
    const idsOfTwo = await idsOf(owner, key(11), two.functions, two.stacks);
    await idsOf(owner, key(10), one.functions, one.stacks);
    await checkStackPaths(owner, key(11), idsOfTwo, two.rowOfPath);
    expect((await owner.snapshot(key(10))).stacks.length).toBe(3);
  });

  it('shows in a snapshot what another process committed before it', async () => {
    const [writer, reader] = [newOwner(), newOwner()];
    expect((await reader.snapshot(key(2))).stacks.length).toBe(0);
    const first = stackTableOf(['a>b']);
    await idsOf(writer, key(2), first.functions, first.stacks);
    const before = await reader.snapshot(key(2));
    const more = stackTableOf(['a>b>c', 'd']);
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
          const { functions, stacks, rowOfPath } = stackTableOf(paths);
          const ids = await idsOf(owner, key(3), functions, stacks);
          checked += await checkStackPaths(owner, key(3), ids, rowOfPath);
        }
      }),
    );
    expect(checked).toBeGreaterThan(4 * rounds * 30);
    const pages = (await dataSource.query(
      'SELECT count(*) AS count, max(version) AS last FROM stack_page WHERE service_id = 3',
    )) as { count: number; last: number }[];
    expect(pages[0]!.count).toBe(pages[0]!.last);
    const fresh = await newOwner().snapshot(key(3));
    const paths = new Set(Array.from({ length: fresh.stacks.length }, (_, id) => stackPath(fresh, id)));
    expect(paths.size).toBe(fresh.stacks.length);
  });

  it('serves many calls at once within one process', async () => {
    const owner = newOwner();
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const { functions, stacks, rowOfPath } = stackTableOf([`main>a${n % 20}>b`, `main>a${(n + 7) % 25}>c${n}`]);
        await checkStackPaths(owner, key(4), await idsOf(owner, key(4), functions, stacks), rowOfPath);
      }),
    );
    const pages = (await dataSource.query('SELECT count(*) AS count FROM stack_page WHERE service_id = 4')) as {
      count: number;
    }[];
    expect(pages[0]!.count).toBeLessThan(60);
  });

  it('keeps its dictionary when the database transaction fails, and goes on', async () => {
    const owner = newOwner();
    const first = stackTableOf(['a']);
    await idsOf(owner, key(5), first.functions, first.stacks);
    await dataSource.query(`ALTER TABLE stack_page ADD CONSTRAINT no_second_page CHECK (service_id <> 5 OR version < 2)`);
    const second = stackTableOf(['a>b']);
    await expect(idsOf(owner, key(5), second.functions, second.stacks)).rejects.toThrow('no_second_page');
    await dataSource.query('ALTER TABLE stack_page DROP CONSTRAINT no_second_page');
    expect((await owner.snapshot(key(5))).stacks.length).toBe(1);
    await checkStackPaths(owner, key(5), await idsOf(owner, key(5), second.functions, second.stacks), second.rowOfPath);
  });

  it('commits no page that could not be read again, and goes on with what there is', async () => {
    const owner = new StackDictionaries(new StackRepository(dataSource), { maxPageBytes: 1000 });
    const first = stackTableOf(['a']);
    await idsOf(owner, key(8), first.functions, first.stacks);
    const tooLong = stackTableOf(['x'.repeat(1001)]);
    const second = stackTableOf(['a>b']);
    const [refused, taken] = await Promise.allSettled([
      idsOf(owner, key(8), tooLong.functions, tooLong.stacks),
      idsOf(owner, key(8), second.functions, second.stacks), // shares its page, until that is refused
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'STACK_DICTIONARY_FULL' } });
    if (taken.status === 'rejected') throw taken.reason;
    await checkStackPaths(newOwner(), key(8), taken.value, second.rowOfPath);
    expect((await newOwner().snapshot(key(8))).stacks.length).toBe(2);
  });

  it('begins again when the database has gone back', async () => {
    const owner = newOwner();
    const first = stackTableOf(['a>b']);
    await idsOf(owner, key(12), first.functions, first.stacks);
    const second = stackTableOf(['a>b>c', 'd']);
    await idsOf(owner, key(12), second.functions, second.stacks);
    // As after a restore from a backup of the moment before.
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 12 AND version > 1');
    await dataSource.query('UPDATE stack_head SET version = 1 WHERE service_id = 12');
    expect((await owner.snapshot(key(12))).stacks.length).toBe(2);
    const third = stackTableOf(['x>y']);
    await checkStackPaths(newOwner(), key(12), await idsOf(owner, key(12), third.functions, third.stacks), third.rowOfPath);
    await dataSource.query('DELETE FROM stack_page WHERE service_id = 12 AND version > 1');
    await dataSource.query('UPDATE stack_head SET version = 1 WHERE service_id = 12');
    const ids = await idsOf(owner, key(12), second.functions, second.stacks);
    await checkStackPaths(newOwner(), key(12), ids, second.rowOfPath);
  });

  it('forgets the service that was not used for longest when memory is bounded, and loads it again', async () => {
    const owner = newOwner(1);
    const { functions, stacks, rowOfPath } = stackTableOf(['a>b', 'a>c']);
    const ids = await idsOf(owner, key(6), functions, stacks);
    const withTwo = owner.bytes;
    await idsOf(owner, key(7), functions, stacks);
    expect(owner.bytes).toBeLessThanOrEqual(withTwo);
    expect(await idsOf(owner, key(6), functions, stacks)).toEqual(ids);
    await checkStackPaths(owner, key(6), ids, rowOfPath);
  });

  it('keeps within its memory while more is used at once than fits, and answers rightly all the time', async () => {
    const { functions, stacks, rowOfPath } = stackTableOf(Array.from({ length: 400 }, (_, n) => `main>f${n % 20}>g${n}`));
    const measured = newOwner();
    await measured.intern(key(40), functions, stacks);
    const owner = newOwner(measured.bytes * 2);
    const services = Array.from({ length: 6 }, (_, at) => 40 + at);
    let largest = 0;
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        services.map(async (service) => {
          const epoch = NOVEMBER + ((service + round) % 2);
          await checkStackPaths(
            owner,
            key(service, epoch),
            await idsOf(owner, key(service, epoch), functions, stacks),
            rowOfPath,
          );
        }),
      );
      largest = Math.max(largest, owner.bytes);
    }
    expect(largest).toBeGreaterThan(measured.bytes);
    expect(largest).toBeLessThanOrEqual(measured.bytes * 2);
  });

  it('answers damaged pages with a code', async () => {
    const { functions, stacks } = stackTableOf(['a>b']);
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
});
