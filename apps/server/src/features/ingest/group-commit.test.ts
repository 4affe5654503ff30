import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.js';

function gather(store: (items: number[]) => Promise<string[]>) {
  const groups: number[][] = [];
  const commit = new GroupCommit<number, string>({
    blocksIn: (blocks) => Math.abs(blocks),
    projectOf: (blocks) => Math.sign(blocks),
    mayBeOneItem: (error) => (error as Error).message === 'bad item',
    store: async (items) => {
      groups.push(items);
      return store(items);
    },
  });
  return { commit, groups };
}

describe('GroupCommit', () => {
  it('stores what comes within ten milliseconds together, and gives each its own outcome', async () => {
    const { commit, groups } = gather(async (items) => items.map((item) => `stored ${item}`));
    expect(await Promise.all([commit.add(1), commit.add(2), commit.add(3)])).toEqual(['stored 1', 'stored 2', 'stored 3']);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it('does not wait for more than 500 blocks, and puts at most 500 into a group', async () => {
    const { commit, groups } = gather(async (items) => items.map(String));
    await Promise.all([commit.add(499), commit.add(1), commit.add(300), commit.add(300), commit.add(600)]);
    expect(groups).toEqual([[499, 1], [300], [300], [600]]);
  });

  it('lets projects take turns while the database is slow, and knows how long each waits', async () => {
    const open: (() => void)[] = [];
    const { commit, groups } = gather(
      (items) =>
        new Promise((resolve) => {
          open.push(() => {
            resolve(items.map(String));
          });
        }),
    );
    const adding = [500, 500, 200, 200, 200, -100].map((blocks) => commit.add(blocks)); // both database transactions are busy
    expect(commit.waitedMs(-1)).toBeLessThan(10);
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(commit.waitedMs(1)).toBeGreaterThanOrEqual(29);
    expect(commit.waitedMs(2)).toBe(0);
    open.shift()!();
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    expect(groups.at(-1)).toEqual([200, -100, 200]);
    while (open.length > 0) {
      open.shift()!();
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    await Promise.all(adding);
    expect(commit.waitedMs(1)).toBe(0);
  });

  it('fails only the item that cannot be stored', async () => {
    const { commit } = gather(async (items) => {
      if (items.includes(2)) throw new Error('bad item');
      return items.map(String);
    });
    const settled = await Promise.allSettled([commit.add(1), commit.add(2), commit.add(3)]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails the whole group at once when the database is away', async () => {
    const { commit, groups } = gather(async () => {
      throw new Error('away');
    });
    const settled = await Promise.allSettled([commit.add(1), commit.add(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(groups).toHaveLength(1);
  });

  it('gathers the next group while two are being stored', async () => {
    const open: (() => void)[] = [];
    const { commit, groups } = gather(
      (items) =>
        new Promise((resolve) => {
          open.push(() => {
            resolve(items.map(String));
          });
        }),
    );
    const adding = [commit.add(500), commit.add(500), commit.add(1), commit.add(2)];
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(groups).toEqual([[500], [500]]);
    open.shift()!();
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    expect(groups).toEqual([[500], [500], [1, 2]]);
    for (const done of open) done();
    await Promise.all(adding);
  });
});
