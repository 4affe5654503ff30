import { describe, expect, it } from 'vitest';
import { readAllocations } from './allocation-sampler.js';
import type { AllocationProfileNode } from './allocation-source.js';
import { StackTables } from './stack-tables.js';

const node = (
  id: number,
  functionName: string,
  selfSize: number,
  children: AllocationProfileNode[] = [],
): AllocationProfileNode => ({
  id,
  callFrame: { functionName, url: 'file:///srv/app.js', lineNumber: 6, columnNumber: -1 },
  selfSize,
  children,
});

describe('readAllocations', () => {
  it('gives bytes and raw samples of each stack that allocated, lines from 1', () => {
    const tables = new StackTables();
    const head = node(1, '(root)', 0, [node(2, 'main', 0, [node(3, 'copy', 1_048_576)]), node(4, 'read', 524_288)]);
    const rows = readAllocations({ head, samples: [{ nodeId: 3 }, { nodeId: 4 }, { nodeId: 3 }] }, tables);
    expect(rows.map(({ bytes, count }) => [bytes, count])).toEqual([
      [1_048_576, 2],
      [524_288, 1],
    ]);
    const frames = tables.framesRootFirst(rows.map(({ stackRow }) => stackRow));
    expect(frames.map((stack) => stack.map(({ name, line, column }) => `${name} ${line} ${column}`))).toEqual([
      ['main 7 0', 'copy 7 0'],
      ['read 7 0'],
    ]);
  });
});
