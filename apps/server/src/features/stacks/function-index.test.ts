import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABSENT, FunctionIndex } from './function-index.js';

const part = fc.constantFrom('', 'a', 'b', 'c', '__proto__');
const key = fc.record({ name: part, file: part, package: part });

describe('FunctionIndex', () => {
  it('tells functions apart by all three parts, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), fc.array(key, { maxLength: 60 }), (set, asked) => {
        const index = new FunctionIndex();
        const expected = new Map<string, number>();
        set.forEach((one, row) => {
          index.set(one, row);
          expected.set(JSON.stringify(one), row);
        });
        for (const one of [...set, ...asked]) expect(index.row(one)).toBe(expected.get(JSON.stringify(one)) ?? ABSENT);
      }),
    );
  });
});
