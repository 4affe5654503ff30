import { describe, expect, it } from 'vitest';
import type { FunctionTable } from '@hearth/profile-model';
import { joinFunctions } from './join-functions.js';

const table = (...names: string[]): FunctionTable => ({
  length: names.length,
  name: names,
  package: names.map(() => 'p'),
  file: names.map((name) => `${name}.ts`),
});

describe('joinFunctions', () => {
  it('gives a function of two tables one row', async () => {
    const { functions, functionRowOf } = await joinFunctions([table('main', 'read'), table('gc', 'main')]);
    expect(functions).toEqual(table('main', 'read', 'gc'));
    expect(functionRowOf.map((rows) => [...rows])).toEqual([
      [0, 1],
      [2, 0],
    ]);
  });

  it('leaves one table as it is, and joins none', async () => {
    const one = table('main');
    expect((await joinFunctions([one])).functions).toBe(one);
    expect((await joinFunctions([])).functions.length).toBe(0);
  });

  it('does not join the same tables again, until one of them is another', async () => {
    const [one, two] = [table('main'), table('gc')];
    const joined = await joinFunctions([one, two]);
    expect(await joinFunctions([one, two])).toBe(joined);
    expect((await joinFunctions([one, table('gc', 'read')])).functions).toEqual(table('main', 'gc', 'read'));
    expect((await joinFunctions([one, two, table('read')])).functionRowOf).toHaveLength(3);
  });
});
