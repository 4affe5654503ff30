import { describe, expect, it } from 'vitest';
import type { CountedScript } from './call-counter.js';
import { MAX_FUNCTIONS, chosenFunctions } from './chosen-functions.js';

const called = (functionName: string, count: number, startOffset = 10) => ({
  functionName,
  ranges: [{ startOffset, endOffset: startOffset + 10, count }],
});
const SCRIPTS: CountedScript[] = [
  {
    url: 'file:///srv/shop/src/cart%20v2.js',
    functions: [called('', 1, 0), called('price', 7), called('', 3), called('never', 0)],
  },
  { url: 'file:///srv/shop/node_modules/vat/index.js', functions: [called('price', 9), called('prices', 1)] },
  { url: 'node:fs', functions: [called('readSync', 5)] },
  { url: 'file:///srv/agent/dist/index.mjs', functions: [called('price', 100)] },
  { url: '', functions: [called('made', 2)] },
];
const chosen = (functions: string[], files: string[] = []) =>
  chosenFunctions(SCRIPTS, { functions, files }, 'file:///srv/agent/dist/').functions.map(
    ({ name, count }) => `${name} ${count}`,
  );

describe('chosenFunctions', () => {
  it('takes those of the host that were called, without being asked for others', () => {
    expect(chosen([])).toEqual(['price 7', ' 3']);
  });

  it('takes functions by name or its beginning, and scripts by a part of their name, never the agent', () => {
    expect(chosen(['price'])).toEqual(['price 9', 'price 7']);
    expect(chosen(['pri*', 'readSync'])).toEqual(['price 9', 'price 7', 'readSync 5', 'prices 1']);
    expect(chosen(['price'], ['src/cart v2'])).toEqual(['price 7']);
    expect(chosen([], ['node_modules/vat', 'node:fs'])).toEqual(['price 9', 'readSync 5', 'prices 1']);
    expect(chosen(['*'])).toEqual(['price 9', 'price 7', 'readSync 5', ' 3', 'made 2', 'prices 1']);
    expect(chosen(['.*'], ['.*'])).toEqual([]);
  });

  it('tells the most called by name, and sums up the others', () => {
    const functions = Array.from({ length: MAX_FUNCTIONS + 2 }, (_, at) => called(`f${at}`, at + 1));
    const all = chosenFunctions([{ url: 'file:///a.js', functions }], { functions: [], files: [] }, '');
    expect(all.functions).toHaveLength(MAX_FUNCTIONS);
    expect(all.functions[0]!.count).toBe(MAX_FUNCTIONS + 2);
    expect(all.others).toEqual({ functions: 2, calls: 3 });
    const fewer = chosenFunctions(
      [{ url: 'file:///a.js', functions: functions.slice(0, MAX_FUNCTIONS) }],
      { functions: [], files: [] },
      '',
    );
    expect(fewer.others).toEqual({ functions: 0, calls: 0 });
  });
});
