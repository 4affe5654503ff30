import { describe, expect, it } from 'vitest';
import { KnownCallers, MAX_CALLERS, MAX_KNOWN, type SeenStack } from './known-callers.js';

const SELECT = 7;
/** Functions by their names, the outermost first. */
const seen = (weight: number, names: string): SeenStack => ({
  framesRootFirst: names.split(';').map((name) => ({ name, scriptName: '/a.js', line: 1 })),
  weight,
});
const drawn = (callers: readonly SeenStack[]): [string, number][] =>
  callers.map(({ framesRootFirst, weight }) => [framesRootFirst.map(({ name }) => name).join(';'), weight]);

describe('KnownCallers', () => {
  it('tells callers apart by operation, transaction, step and stack, and adds up those that are the same', () => {
    const callers = new KnownCallers();
    callers.learn(SELECT, 'GET /', '', [seen(1, 'main;load'), seen(2, 'main;save'), seen(4, 'main;load'), seen(1, 'load')]);
    expect(drawn(callers.of(SELECT, 'GET /', ''))).toEqual([
      ['main;load', 5],
      ['main;save', 2],
      ['load', 1],
    ]);
    expect(callers.of(SELECT, 'GET /', 'pay')).toEqual([]);
    expect(callers.of(SELECT, 'POST /', '')).toEqual([]);
    expect(callers.of(SELECT + 1, 'GET /', '')).toEqual([]);
  });

  it('takes functions on one line of a minified file for different ones', () => {
    const callers = new KnownCallers();
    const at = (column: number): SeenStack => ({
      framesRootFirst: [{ name: 'a', scriptName: '/a.js', line: 1, column }],
      weight: 1,
    });
    callers.learn(SELECT, 'GET /', '', [at(10), at(20), at(10)]);
    expect(callers.of(SELECT, 'GET /', '').map(({ weight }) => weight)).toEqual([2, 1]);
  });

  it('lets old ones fade, and never changes what it has given', () => {
    const callers = new KnownCallers();
    callers.learn(SELECT, 'GET /', '', [seen(8, 'old')]);
    const before = callers.of(SELECT, 'GET /', '');
    callers.learn(SELECT, 'GET /', '', [seen(3, 'new'), seen(2, 'old')]);
    callers.learn(SELECT, 'GET /', '', [seen(10, 'new')]);
    expect(drawn(callers.of(SELECT, 'GET /', ''))).toEqual([
      ['new', 11.5],
      ['old', 3],
    ]);
    expect(drawn(before)).toEqual([['old', 8]]);
  });

  it('has one that is the only one only while there is one', () => {
    const callers = new KnownCallers();
    expect(callers.onlyOneOf(SELECT, 'GET /', '')).toBeUndefined();
    callers.learn(SELECT, 'GET /', '', [seen(8, 'one')]);
    expect(callers.onlyOneOf(SELECT, 'GET /', '')).toMatchObject([{ name: 'one' }]);
    callers.learn(SELECT, 'GET /', '', [seen(1, 'two')]);
    expect(callers.onlyOneOf(SELECT, 'GET /', '')).toBeUndefined();
  });

  it('keeps the heaviest of many, and forgets the operation that was not seen for longest', () => {
    const callers = new KnownCallers();
    callers.learn(
      SELECT,
      'GET /',
      '',
      Array.from({ length: 20 }, (_, at) => seen(at, `f${at}`)),
    );
    expect(drawn(callers.of(SELECT, 'GET /', '')).map(([, weight]) => weight)).toEqual([19, 18, 17, 16, 15, 14, 13, 12]);
    expect(callers.of(SELECT, 'GET /', '')).toHaveLength(MAX_CALLERS);
    for (let at = 1; at < MAX_KNOWN; at += 1) callers.learn(SELECT, `t${at}`, '', [seen(1, 'a')]);
    callers.learn(SELECT, 'GET /', '', [seen(1, 'a')]);
    callers.learn(SELECT, 'one too many', '', [seen(1, 'a')]);
    expect(callers.of(SELECT, 'GET /', '')).not.toEqual([]);
    expect(callers.of(SELECT, 't1', '')).toEqual([]);
    expect(callers.of(SELECT, 't2', '')).not.toEqual([]);
  });
});
