import { AsyncResource } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireByReference, type ContextWiring } from './context-wiring.js';
import { Transaction, type Scope } from './transaction.js';

let context: object | undefined;
let samples = 0;
let wiring: ContextWiring;
beforeEach(() => {
  wiring = wireByReference({ setContext: (now) => (context = now), sampleCount: () => samples });
  wiring.resume();
});
afterEach(() => wiring.pause());

function sampled(): Scope | undefined {
  samples += 1;
  return wiring.scopeOf(context);
}

const [outer, inner] = [new Transaction('custom', 'outer'), new Transaction('custom', 'inner')];

describe('wireByReference', () => {
  it('goes back to the outer scope after work that ran synchronously in another one', async () => {
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
    expect(sampled()).toBeUndefined();
  });

  it('follows promises, timers, ticks and microtasks, and a run inside another ends with its function', async () => {
    const seen = await wiring.run(outer, async () => {
      const begun = [
        new Promise((resolve) => setTimeout(() => resolve(sampled()), 1)),
        new Promise((resolve) => setImmediate(() => resolve(sampled()))),
        new Promise((resolve) => process.nextTick(() => resolve(sampled()))),
        new Promise((resolve) => queueMicrotask(() => resolve(sampled()))),
        Promise.resolve().then(sampled),
      ];
      const within = wiring.run(inner, sampled);
      expect([within, sampled(), wiring.run(undefined, sampled), sampled()]).toEqual([inner, outer, undefined, outer]);
      return Promise.all(begun);
    });
    expect(seen).toEqual([outer, outer, outer, outer, outer]);
  });

  it('keeps what was entered for the next calls back of the same resource', () => {
    const connection = new AsyncResource('connection');
    connection.runInAsyncScope(() => wiring.enter(inner));
    expect(sampled()).toBeUndefined();
    expect(connection.runInAsyncScope(sampled)).toBe(inner);
    connection.runInAsyncScope(() => wiring.enter(outer));
    expect(connection.runInAsyncScope(sampled)).toBe(outer);
  });

  it('follows nothing while it is paused, and nothing from before afterwards', async () => {
    const before = wiring.run(outer, () => new AsyncResource('before'));
    wiring.pause();
    expect(wiring.run(outer, sampled)).toBeUndefined();
    const meanwhile = wiring.run(outer, () => new AsyncResource('meanwhile'));
    meanwhile.runInAsyncScope(() => wiring.enter(inner));
    wiring.resume();
    expect([before.runInAsyncScope(sampled), meanwhile.runInAsyncScope(sampled), sampled()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await wiring.run(inner, () => Promise.resolve().then(sampled))).toBe(inner);
  });

  it('never changes what a sample refers to', () => {
    wiring.run(outer, () => {
      samples += 1;
      const ofTheSample = context;
      wiring.run(inner, () => expect(wiring.scopeOf(ofTheSample)).toBe(outer));
      expect(wiring.scopeOf(ofTheSample)).toBe(outer);
    });
  });
});
