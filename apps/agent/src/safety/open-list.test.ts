import { describe, expect, it } from 'vitest';
import { OpenList } from './open-list.js';

describe('OpenList', () => {
  it('holds what came and has not left, in the order in which it came', () => {
    const list = new OpenList<string>();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => list.add(name));
    expect([...list]).toEqual(['a', 'b', 'c', 'd']);
    expect([list.remove(b!), list.remove(b!)]).toEqual([true, false]);
    expect([[...list], list.first, list.size]).toEqual([['a', 'c', 'd'], 'a', 3]);
    list.remove(d!);
    list.remove(a!);
    list.add('e');
    expect([[...list], list.first, list.size]).toEqual([['c', 'e'], 'c', 2]);
    list.remove(c!);
    for (const last of list) expect(last).toBe('e');
    expect(list.size).toBe(1);
  });

  it('lets the one that is looked at leave', () => {
    const list = new OpenList<string>();
    const places = new Map(['a', 'b', 'c'].map((name) => [name, list.add(name)]));
    const seen: string[] = [];
    for (const name of list) {
      seen.push(name);
      list.remove(places.get(name)!);
    }
    expect([seen, list.size, list.first]).toEqual([['a', 'b', 'c'], 0, undefined]);
  });

  it('leads from nothing that has left to what came later', () => {
    const list = new OpenList<object>();
    const left = Array.from({ length: 10 }, () => {
      const place = list.add({});
      list.add({});
      list.remove(place);
      return place;
    });
    expect(left.map(({ before, after }) => [before, after])).toEqual(left.map(() => [undefined, undefined]));
  });
});
