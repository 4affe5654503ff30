import { AsyncResource } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { wireByReference } from './context-wiring.js';
import { Transaction, type Scope } from './transaction.js';

it('wireByReference goes back to the outer scope after work that ran synchronously in another one', async () => {
  let context: object | undefined;
  let samples = 0;
  const wiring = wireByReference({ setContext: (now) => (context = now), sampleCount: () => samples });
  const sampled = (): Scope | undefined => {
    samples += 1;
    return wiring.scopeOf(context);
  };
  const [outer, inner] = [new Transaction('custom', 'outer'), new Transaction('custom', 'inner')];
  wiring.resume();
  try {
    const resource = wiring.run(inner, () => new AsyncResource('pooled'));
    await wiring.run(outer, async () => {
      await Promise.resolve();
      expect(resource.runInAsyncScope(sampled)).toBe(inner);
      expect(sampled()).toBe(outer);
      expect(() =>
        resource.runInAsyncScope(() => {
          throw new Error('of the host');
        }),
      ).toThrow('of the host');
      expect(sampled()).toBe(outer);
      await Promise.resolve();
      expect(sampled()).toBe(outer);
    });
  } finally {
    wiring.pause();
  }
});
