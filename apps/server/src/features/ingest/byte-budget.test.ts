import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

const busy: unknown = expect.objectContaining({ code: 'INGEST_BUSY', status: 429 });

describe('ByteBudget', () => {
  it('holds what a body has grown to, and gives all of it back', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(10, async (growTo) => {
      growTo(60);
      growTo(5); // never less
      expect(budget.usedBytes).toBe(60);
      await budget.hold(40, async () => expect(budget.usedBytes).toBe(100));
      await expect(budget.hold(41, async () => undefined)).rejects.toEqual(busy);
    });
    expect(budget.usedBytes).toBe(0);
  });

  it('refuses a body that grows beyond what is left beside the others', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(10, async () => {
      await expect(
        budget.hold(10, async (growTo) => {
          growTo(91);
        }),
      ).rejects.toEqual(busy);
      expect(budget.usedBytes).toBe(10);
    });
  });

  it('lets the largest body pass when it is alone', async () => {
    const budget = new ByteBudget(100);
    await budget.hold(200, async (growTo) => {
      growTo(1000);
      expect(budget.usedBytes).toBe(1000);
    });
    expect(budget.usedBytes).toBe(0);
  });
});
