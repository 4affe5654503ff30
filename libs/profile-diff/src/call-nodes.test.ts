import { describe, expect, it } from 'vitest';
import { callNodes } from './call-nodes.js';
import { describedFleet } from './testing/described-fleet.js';
import type { ComparisonInput } from './comparison-input.js';

function fleetOf(...stacks: string[]): ComparisonInput {
  const side = { processes: 1, windows: 1, traffic: {}, cost: Object.fromEntries(stacks.map((stack) => [stack, { second: 1 }])) };
  return describedFleet({ cv: 0, baseline: side, candidate: side });
}

describe('callNodes', () => {
  it('marks the outermost call of a recursion, on every path of its own', () => {
    const nodes = callNodes(fleetOf('main > a > b > a', 'main > b > a'));
    const names = [...nodes.functionId].map((id) => nodes.functions[id]!.name);
    expect(names).toEqual(['main', 'a', 'b', 'a', 'b', 'a']);
    expect([...nodes.outermost]).toEqual([1, 1, 1, 0, 1, 1]);
  });

  it('makes one node of a path that the table holds twice', () => {
    const input = fleetOf('main > a');
    const doubled: ComparisonInput = {
      ...input,
      stacks: { length: 4, parent: Int32Array.of(-1, 0, -1, 2), functionRow: Uint32Array.of(0, 1, 0, 1) },
      candidate: { ...input.candidate, samples: { ...input.candidate.samples, stack: Int32Array.of(3) } },
    };
    expect(callNodes(doubled).length).toBe(2);
  });

  it('leaves out what neither side uses', () => {
    const input = fleetOf('main > a', 'main > b');
    const used: ComparisonInput = { ...input, baseline: withFirstSample(input), candidate: withFirstSample(input) };
    expect(callNodes(used).functions.map(({ name }) => name)).toEqual(['a', 'main']);
  });

  it('knows what the runtime does by itself', () => {
    const nodes = callNodes(fleetOf('(garbage collector)', '(idle)', '(program)', 'main > (anonymous)'));
    const roles = Object.fromEntries(nodes.functions.map(({ name }, id) => [name, nodes.roles[id]]));
    expect(roles).toEqual({
      '(garbage collector)': 'runtime',
      '(idle)': 'idle',
      '(program)': 'runtime',
      main: 'code',
      '(anonymous)': 'code',
    });
  });

  it('walks a recursion deeper than our own stack would carry', () => {
    const nodes = callNodes(fleetOf(Array.from({ length: 50_000 }, () => 'f').join(' > ')));
    expect(nodes.length).toBe(50_000);
    expect(nodes.outermost.reduce((sum, one) => sum + one, 0)).toBe(1);
  });
});

function withFirstSample(input: ComparisonInput): ComparisonInput['baseline'] {
  const { samples } = input.baseline;
  return {
    ...input.baseline,
    samples: {
      process: samples.process.slice(0, 1),
      windowStartMs: samples.windowStartMs.slice(0, 1),
      transaction: samples.transaction.slice(0, 1),
      stack: samples.stack.slice(0, 1),
      value: samples.value.slice(0, 1),
      count: samples.count.slice(0, 1),
    },
  };
}
