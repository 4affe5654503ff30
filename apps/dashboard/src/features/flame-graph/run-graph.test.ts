import { describe, expect, it } from 'vitest';
import { pickRow, levelCount } from './layout.js';
import { runGraph, type RanAnswer, type RunGraph } from './run-graph.js';
import { matchFrames } from './search.js';

/** Stacks: 0 main, 1 main→read, 2 main→parse. */
const answer = (
  samples: readonly (readonly [stack: number, start: number, wall: number, cpu?: number])[],
  durationMicros = 100,
): RanAnswer => ({
  transaction: 'GET /',
  sampleCount: samples.length,
  keptSampleCount: samples.length,
  durationMicros: durationMicros * 1_000,
  functions: { name: ['main', 'read', 'parse'], package: ['', '', 'lib'], file: ['a.ts', 'a.ts', 'p.js'] },
  stacks: { parent: [-1, 0, 0], function: [0, 1, 2] },
  samples: {
    stack: samples.map(([stack]) => stack),
    startMicros: samples.map(([, start]) => start * 1_000),
    wallMicros: samples.map(([, , wall]) => wall * 1_000),
    cpuMicros: samples.map(([, , , cpu = 0]) => cpu * 1_000),
    span: samples.map(() => -1),
  },
});

/** A line for each frame: its level, name, and milliseconds from and to. */
function drawn({ tree, layout }: RunGraph): string[] {
  return Array.from(tree.depth, (depth, row) => {
    const [from, to] = [layout.left[row]! / 1_000, (layout.left[row]! + layout.total[row]!) / 1_000];
    return `${'  '.repeat(depth)}${tree.functions[tree.functionRow[row]!]!.name} ${from}-${to}`;
  });
}

describe('runGraph', () => {
  it('stands frames where they ran, and lets those that go on reach over several samples', () => {
    expect(
      drawn(
        runGraph(
          answer([
            [1, 10, 10],
            [1, 20, 10],
            [2, 30, 10],
            [1, 60, 10],
          ]),
        ),
      ),
    ).toEqual(['GET / 0-100', '  main 10-40', '    read 10-30', '    parse 30-40', '  main 60-70', '    read 60-70']);
  });

  it('takes a gap of up to a millisecond for jitter, and no more', () => {
    expect(
      drawn(
        runGraph(
          answer([
            [1, 10, 10],
            [1, 21, 9],
          ]),
        ),
      ),
    ).toEqual(['GET / 0-100', '  main 10-30', '    read 10-30']);
    expect(
      drawn(
        runGraph(
          answer([
            [1, 10, 10],
            [1, 21.001, 9],
          ]),
        ),
      ),
    ).toHaveLength(5);
  });

  it('lets each sample of a long run stand for those that are not kept, where no other is', () => {
    const kept = {
      ...answer([
        [1, 10, 10],
        [1, 30, 10],
        [1, 90, 5],
      ]),
      sampleCount: 6,
    };
    expect(drawn(runGraph(kept))).toEqual(['GET / 0-100', '  main 10-50', '    read 10-50', '  main 90-100', '    read 90-100']);
  });

  it('never lets samples overlap or leave the run', () => {
    expect(
      drawn(
        runGraph(
          answer([
            [1, 10, 50],
            [2, 30, 500],
          ]),
        ),
      ),
    ).toEqual(['GET / 0-100', '  main 10-100', '    read 10-30', '    parse 30-100']);
    expect(
      drawn(
        runGraph(
          answer([
            [1, 100, 10],
            [1, 40, 0],
          ]),
        ),
      ),
    ).toEqual(['GET / 0-100']);
    expect(drawn(runGraph(answer([[1, 40, 0, 5]])))).toEqual(['GET / 0-100', '  main 40-45', '    read 40-45']);
  });

  it('says so where a sample has no frames, and shows a run without samples', () => {
    expect(
      drawn(
        runGraph(
          answer([
            [-1, 10, 10],
            [0, 20, 10],
          ]),
        ),
      ),
    ).toEqual(['GET / 0-100', '  (no frames) 10-20', '  main 20-30']);
    expect(drawn(runGraph(answer([], 0)))).toEqual(['GET / 0-0.001']);
  });

  it('is found by place, and by search with its share of the time', () => {
    const { tree, layout } = runGraph(
      answer([
        [1, 10, 10],
        [2, 60, 30],
      ]),
    );
    const nameAt = (level: number, ms: number) => {
      const row = pickRow(layout, level, ms * 1_000);
      return row < 0 ? undefined : tree.functions[tree.functionRow[row]!]!.name;
    };
    expect([nameAt(0, 50), nameAt(2, 15), nameAt(2, 30), nameAt(2, 89), nameAt(2, 90)]).toEqual([
      'GET /',
      'read',
      undefined,
      'parse',
      undefined,
    ]);
    expect(levelCount(layout)).toBe(3);
    expect(matchFrames(tree, layout, 'lib', '')).toMatchObject({ functions: 1, share: 0.3 });
    expect(Array.from(tree.self)).toEqual([60_000, 0, 10_000, 0, 30_000]);
  });

  it('ends at a stack that is its own caller', () => {
    const circular = answer([[1, 10, 10]]);
    const stacks = { parent: [1, 0, 0], function: [0, 1, 2] };
    expect(drawn(runGraph({ ...circular, stacks }))).toEqual(['GET / 0-100', '  main 10-20', '    read 10-20']);
  });
});
