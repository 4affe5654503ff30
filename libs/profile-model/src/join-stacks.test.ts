import { describe, expect, it } from 'vitest';
import { joinStacks } from './join-stacks.js';
import { functionsRootFirst, type StackTable } from './stack-table.js';

const NAMES = ['main', 'read', 'parse', 'gc'];

describe('joinStacks', () => {
  it('gives equal stacks of two tables one row, and leaves out what nobody wants', () => {
    // main>read, main>parse>gc
    const first: StackTable = { length: 4, parent: Int32Array.of(-1, 0, 0, 2), functionRow: Uint32Array.of(0, 1, 2, 3) };
    // Its functions are [gc, main, parse]: main>parse, main>parse>gc, gc
    const second: StackTable = { length: 4, parent: Int32Array.of(-1, 0, 1, -1), functionRow: Uint32Array.of(1, 2, 0, 0) };
    const { stacks, rowOf } = joinStacks([
      { stacks: first, functionRow: [0, 1, 2, 3], isWanted: [0, 0, 0, 5] },
      { stacks: second, functionRow: [3, 0, 2], isWanted: [0, 1, 2, 1] },
    ]);
    const pathOf = (row: number) =>
      functionsRootFirst(stacks, row)
        .map((at) => NAMES[at])
        .join('>');
    expect(Array.from({ length: stacks.length }, (_, row) => pathOf(row))).toEqual(['main', 'main>parse', 'main>parse>gc', 'gc']);
    expect(rowOf.map((rows) => [...rows])).toEqual([
      [0, -1, 1, 2],
      [0, 1, 2, 3],
    ]);
  });

  it('keeps one table as it is where all of it is wanted', () => {
    const stacks: StackTable = { length: 3, parent: Int32Array.of(-1, 0, -1), functionRow: Uint32Array.of(1, 1, 0) };
    const joined = joinStacks([{ stacks, functionRow: [0, 1], isWanted: [1, 1, 1] }]);
    expect(joined.stacks).toEqual(stacks);
    expect([...joined.rowOf[0]!]).toEqual([0, 1, 2]);
  });
});
