import { describe, expect, it } from 'vitest';
import { readHeapTree } from './heap-sampler.js';
import { StackTables } from './stack-tables.js';

describe('readHeapTree', () => {
  it('sums what each stack holds, and leaves out stacks that hold nothing', () => {
    const place = { scriptName: '/srv/app.js', lineNumber: 3, columnNumber: 7 };
    const cache = {
      ...place,
      name: 'cache',
      allocations: [
        { sizeBytes: 100, count: 3 },
        { sizeBytes: 40, count: 1 },
      ],
      children: [],
    };
    const main = { ...place, name: 'main', allocations: [], children: [cache] };
    const tables = new StackTables();
    const rows = readHeapTree({ ...place, name: '(root)', allocations: [{ sizeBytes: 9, count: 9 }], children: [main] }, tables);
    expect(rows).toEqual([{ stackRow: 1, bytes: 340, count: 4 }]);
    expect(tables.framesRootFirst([1])[0]!.map(({ name }) => name)).toEqual(['main', 'cache']);
  });
});
