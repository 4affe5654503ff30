import { describe, expect, it } from 'vitest';
import { PatchedOnce, type HostFunction } from './patch-method.js';

describe('PatchedOnce', () => {
  it('patches a method that two entry points share once, and takes it back', () => {
    const shared = { query: () => 'rows', connect: () => 'client' };
    const before = { ...shared };
    let calls = 0;
    const count = (theirs: HostFunction): HostFunction =>
      function (this: unknown, ...args) {
        calls += 1;
        return theirs.apply(this, args);
      };
    const methods = new PatchedOnce();
    const undos = ['query', 'query', 'connect'].map((name) => methods.patch(shared, name, count));
    expect(undos.map((undo) => undo !== undefined)).toEqual([true, false, true]);
    expect([shared.query(), shared.connect(), calls]).toEqual(['rows', 'client', 2]);
    for (const undo of undos) undo?.();
    expect(shared).toEqual(before);
  });
});
