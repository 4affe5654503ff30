import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

const busy: unknown = expect.objectContaining({ code: 'INGEST_BUSY', status: 429, retryAfterSeconds: 5 });
const [ONE, TWO, THREE, FOUR] = [1, 2, 3, 4];

/** Holds bytes until it is called. */
async function holding(budget: ByteBudget, projectId: number, bytes: number): Promise<() => Promise<void>> {
  let release = () => undefined as void;
  const held = new Promise<void>((resolve) => (release = resolve));
  const done = budget.hold(projectId, bytes, () => held);
  done.catch(() => undefined);
  await Promise.race([done, Promise.resolve()]);
  return async () => {
    release();
    await done;
  };
}

describe('ByteBudget', () => {
  it('holds what a body has grown to, and gives all of it back', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(ONE, 10, async (growTo) => {
      growTo(60);
      growTo(5); // never less
      expect(budget.usedBytes).toBe(60);
      await budget.hold(TWO, 40, async () => expect(budget.usedBytes).toBe(100));
      await expect(budget.hold(TWO, 41, async () => undefined)).rejects.toEqual(busy);
    });
    expect(budget.usedBytes).toBe(0);
  });

  it('refuses a body that grows beyond what is left beside the others', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(ONE, 10, async () => {
      await expect(
        budget.hold(TWO, 10, async (growTo) => {
          growTo(91);
        }),
      ).rejects.toEqual(busy);
      expect(budget.usedBytes).toBe(10);
    });
  });

  it('lets the largest body pass when it is alone', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(ONE, 200, async (growTo) => {
      growTo(1000);
      expect(budget.usedBytes).toBe(1000);
    });
    expect(budget.usedBytes).toBe(0);
  });

  it('lets one project hold half, two a third each, so that a third finds room beside them', async () => {
    const budget = new ByteBudget(120);
    const first = [await holding(budget, ONE, 30), await holding(budget, ONE, 30)];
    await expect(holding(budget, ONE, 1).then((release) => release())).rejects.toEqual(busy);
    const second = [await holding(budget, TWO, 30), await holding(budget, TWO, 10)]; // a third, now that there are two
    await expect(holding(budget, TWO, 1).then((release) => release())).rejects.toEqual(busy);
    expect(budget.usedBytes).toBe(100);
    const third = await holding(budget, THREE, 20);
    expect(budget.usedBytes).toBe(120);
    await expect(holding(budget, FOUR, 2).then((release) => release())).rejects.toEqual(busy); // what the first took, it took alone
    await first.pop()!();
    await (
      await holding(budget, FOUR, 20)
    )();
    await Promise.all([...first, ...second, third].map((release) => release()));
    expect(budget.usedBytes).toBe(0);
    await (
      await holding(budget, ONE, 100)
    )(); // nothing is remembered of a project that holds nothing
  });
});
