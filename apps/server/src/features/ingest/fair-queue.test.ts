import { describe, expect, it } from 'vitest';
import { FairQueue } from './fair-queue.js';

describe('FairQueue', () => {
  it('lets keys take turns, and keeps the order within each', () => {
    const queue = new FairQueue<string, string>();
    for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push('a', item);
    queue.push('b', 'b1');
    queue.push('c', 'c1');
    queue.push('b', 'b2');
    expect(queue.length).toBe(7);
    expect(queue.first).toBe('a1');
    expect(Array.from({ length: 8 }, () => queue.shift())).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', undefined]);
    expect(queue.length).toBe(0);
  });

  it('knows what has waited longest of one key', () => {
    const queue = new FairQueue<string, string>();
    queue.push('a', 'a1');
    queue.push('b', 'b1');
    queue.push('b', 'b2');
    expect(queue.firstOf('b')).toBe('b1');
    expect(queue.firstOf('c')).toBeUndefined();
  });
});
