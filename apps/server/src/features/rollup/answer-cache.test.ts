import { describe, expect, it } from 'vitest';
import { AnswerCache, keptBytes } from './answer-cache.js';

describe('AnswerCache', () => {
  it('gives what it was given, until its life is over', () => {
    const cache = new AnswerCache(100 * 1024);
    cache.set('a', 'answer', 39 * 1024, 0);
    expect(cache.get('a', 299_999)).toBe('answer');
    expect(cache.get('b', 0)).toBeUndefined();
    expect(cache.get('a', 300_000)).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('lets go of what was not asked for longest, and never holds more than its bytes', () => {
    const cache = new AnswerCache(100 * 1024);
    cache.set('a', 1, 39 * 1024, 0);
    cache.set('b', 2, 39 * 1024, 0);
    expect(cache.get('a', 1)).toBe(1);
    cache.set('c', 3, 59 * 1024, 2);
    expect([cache.get('a', 3), cache.get('b', 3), cache.get('c', 3)]).toEqual([1, undefined, 3]);
    cache.set('c', 4, 99 * 1024, 4);
    expect([cache.bytes, cache.get('a', 5), cache.get('c', 5)]).toEqual([100 * 1024, undefined, 4]);
    cache.set('d', 5, 100 * 1024, 6);
    expect([cache.bytes, cache.get('d', 7), cache.get('c', 7)]).toEqual([100 * 1024, undefined, 4]);
  });

  it('tells questions apart by all of their text', () => {
    const cache = new AnswerCache(100 * 1024);
    const long = Array.from({ length: 10_000 }, (_, id) => id).join();
    cache.set(`${long} 1`, 'first', 0, 0);
    cache.set(`${long} 2`, 'second', 0, 0);
    expect([cache.get(`${long} 1`, 1), cache.get(`${long} 2`, 1), cache.get(long, 1)]).toEqual(['first', 'second', undefined]);
  });

  it('keeps nothing in no bytes', () => {
    const cache = new AnswerCache(0);
    cache.set('a', 1, 0, 0);
    expect(cache.get('a', 0)).toBeUndefined();
  });
});

describe('keptBytes', () => {
  const self = new Float64Array(1000);
  const functions = { length: 100 };

  it('counts values, and three references of each function', () => {
    expect(keptBytes({ self, functions, joined: undefined })).toBe(8 * 1000 + 24 * 100);
  });

  it('counts the stacks of an answer over several months, which are its own', () => {
    const joined = { parent: new Int32Array(1000), functionRow: new Uint32Array(1000) };
    expect(keptBytes({ self, functions, joined })).toBe((8 + 4 + 4) * 1000 + 24 * 100);
  });
});
