import { describe, expect, it } from 'vitest';
import { callTree, limitCallTree, functionTotals, selfByStack } from '@hearth/profile-model';
import { profileFromText } from '@hearth/profile-model/testing';
import { flameGraphColumns } from './flame-graph-columns.js';
import { functionRows } from './function-rows.js';
import { wireNumber } from './wire-number.js';

const profile = profileFromText(`
  10    5      5      1
  main  main   main   gc
  read  parse  parse
               main
`);

describe('flameGraphColumns', () => {
  it('names each function once, the root first', () => {
    const columns = flameGraphColumns(profile.functions, callTree(profile.stacks, selfByStack(profile)));
    expect(columns.names).toEqual(['total', 'main', 'read', 'parse', 'gc']);
    expect(columns.depth).toEqual([0, 1, 2, 2, 3, 1]);
    expect(columns.name.map((row) => columns.names[row])).toEqual(['total', 'main', 'read', 'parse', 'main', 'gc']);
    expect(columns.self).toEqual([0, 0, 10, 5, 5, 1]);
    expect(columns.total).toEqual([21, 20, 10, 10, 5, 1]);
  });
  it('shows what a limit folds away, and keeps the sum', () => {
    const limited = limitCallTree(callTree(profile.stacks, selfByStack(profile)), 2);
    const columns = flameGraphColumns(profile.functions, limited.tree);
    expect(columns.names).toContain('(truncated)');
    expect(columns.self.reduce((sum, value) => sum + value, 0)).toBe(21);
  });
});

describe('functionRows', () => {
  const totals = functionTotals(profile.stacks, selfByStack(profile), profile.functions.length);
  it('counts a recursive function once and sorts by what is asked', () => {
    const { functions, count } = functionRows(profile.functions, totals, { sort: 'total', limit: 2 });
    expect(count).toBe(4);
    expect(functions.map((row) => [row.name, row.self, row.total])).toEqual([
      ['main', 5, 20],
      ['read', 10, 10],
    ]);
  });
  it('searches literally, whatever the case', () => {
    expect(
      functionRows(profile.functions, totals, { sort: 'self', limit: 9, search: 'PAR' }).functions.map((row) => row.name),
    ).toEqual(['parse']);
    expect(functionRows(profile.functions, totals, { sort: 'self', limit: 9, search: '.*' }).count).toBe(0);
  });
});

describe('wireNumber', () => {
  it('sends digits beyond 2^53 as text', () => {
    expect(wireNumber(Number.MAX_SAFE_INTEGER)).toBe(9007199254740991);
    expect(wireNumber(2 ** 60)).toBe('1152921504606846976');
  });
});
