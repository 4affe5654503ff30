import { describe, expect, it } from 'vitest';
import { type Scope, Transaction } from '../transactions/transaction.js';
import type { RawContext, RawNode } from './native-profiler.js';
import { readTimeTree } from './read-time-tree.js';
import { StackTables } from './stack-tables.js';

function node(name: string, contexts: RawContext[], children: RawNode[] = []): RawNode {
  return {
    name,
    scriptName: name.startsWith('(') ? '' : 'file:///srv/app.js',
    lineNumber: 1,
    columnNumber: 5,
    hitCount: contexts.length,
    contexts,
    children,
  };
}
const at = (micros: number, cpuTime?: number, context?: object): RawContext => ({
  timestamp: BigInt(micros),
  ...(cpuTime !== undefined && { cpuTime }),
  ...(context && { context }),
});
const asScope = (context: object | undefined): Scope | undefined => context as Scope | undefined;
const root = (...children: RawNode[]) => ({ topDownRoot: node('(root)', [], children), startTime: 0, endTime: 40_000 });
const sum = (values: (number | undefined)[]): number => values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe('readTimeTree', () => {
  it('makes one row of each stack and transaction, idle without CPU, without the root', () => {
    const [one, two] = [new Transaction('custom', 'one'), new Transaction('custom', 'two')];
    const tables = new StackTables();
    const work = node('work', [at(1, 1e6, one), at(2, 10e6, one), at(3, 10e6, two)]);
    const { rows, cpuNanos } = readTimeTree(root(node('main', [], [work]), node('(idle)', [at(4, 1e6, one)])), tables, asScope);
    const names = tables
      .framesRootFirst(rows.map(({ stackRow }) => stackRow))
      .map((frames) => frames.map(({ name }) => name).join(';'));
    expect(names).toEqual(['main;work', 'main;work', '(idle)']);
    expect(rows.map(({ scope, count }) => [scope, count])).toEqual([
      [one, 2],
      [two, 1],
      [undefined, 1],
    ]);
    expect(rows[2]!.cpuMicros).toBeUndefined();
    expect(sum(rows.map(({ wallMicros }) => wallMicros))).toBeCloseTo(40_000);
    expect(sum(rows.map(({ cpuMicros }) => cpuMicros))).toBeCloseTo(22_000); // the idle sample's CPU too: it was used
    expect(cpuNanos).toBe(22e6);
  });

  it('lets nobody own what V8 was busy with itself', () => {
    const one = new Transaction('custom', 'one');
    const { rows } = readTimeTree(
      root(node('(program)', [at(1, undefined, one)]), node('(garbage collector)', [at(2, 1, one)])),
      new StackTables(),
      asScope,
    );
    expect(rows.map(({ scope }) => scope)).toEqual([undefined, one]);
  });

  it('tells the CPU of a period without a busy sample, which is in no row', () => {
    const { rows, cpuNanos } = readTimeTree(root(node('(idle)', [at(1, 3e6), at(2, 4e6)])), new StackTables(), asScope);
    expect(cpuNanos).toBe(7e6);
    expect(rows.map(({ cpuMicros }) => cpuMicros)).toEqual([undefined]);
  });

  it('reads a period without samples, and a tree deeper than any call stack', () => {
    expect(readTimeTree(root(), new StackTables(), asScope)).toEqual({ rows: [], cpuNanos: 0 });
    let deep = node('leaf', [at(1, 1)]);
    for (let depth = 0; depth < 100_000; depth += 1) deep = node('f', [], [deep]);
    const tables = new StackTables();
    expect(readTimeTree(root(deep), tables, asScope).rows).toHaveLength(1);
    expect(tables.stackCount).toBe(100_001);
  });
});
