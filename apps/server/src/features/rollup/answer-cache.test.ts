import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.js';

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

  it('keeps nothing in no bytes', () => {
    const cache = new AnswerCache(0);
    cache.set('a', 1, 0, 0);
    expect(cache.get('a', 0)).toBeUndefined();
  });
});
