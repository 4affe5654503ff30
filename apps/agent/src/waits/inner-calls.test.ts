import { describe, expect, it } from 'vitest';
import { InnerCalls } from './inner-calls.js';

describe('InnerCalls', () => {
  it('are those that a method makes before it returns or throws', () => {
    const calls = new InnerCalls();
    expect(calls.run(() => calls.isInside)).toBe(true);
    expect(() =>
      calls.run(() => {
        throw new Error('of the library');
      }),
    ).toThrow('of the library');
    expect(calls.isInside).toBe(false);
  });

  it("are those that a pool's own callback makes with a connection, and none that it makes with an error", () => {
    const calls = new InnerCalls();
    const callback = calls.ofLibrary((error, connection) => [calls.isInside, error, connection]);
    expect(callback(undefined, 'connection')).toEqual([true, undefined, 'connection']);
    expect(callback(null, 'connection')).toEqual([true, null, 'connection']);
    expect(callback('error')).toEqual([false, 'error', undefined]);
    expect(calls.isInside).toBe(false);
  });
});
