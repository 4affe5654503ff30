import { describe, expect, it } from 'vitest';
import { ThreadNames, kindOfThread } from './thread-name.js';

describe('kindOfThread', () => {
  it('is the name without its numbers, or `worker`', () => {
    expect(['pool-3', 'image 12/4', 'job-5f3a9c1e-77aa', ' mailer '].map(kindOfThread)).toEqual([
      'pool-*',
      'image */*',
      'job-*',
      'mailer',
    ]);
    expect([undefined, '', ' ', 'WorkerThread', 7].map(kindOfThread)).toEqual(Array(5).fill('worker'));
    expect(kindOfThread('x'.repeat(1_000)).length).toBe(60);
  });
});

describe('ThreadNames', () => {
  it('keeps twenty names, and calls every other one `worker`', () => {
    const names = new ThreadNames();
    const kept = Array.from({ length: 22 }, (_, at) => names.limit(`name ${String.fromCharCode(97 + at)}`));
    expect(new Set(kept).size).toBe(21);
    expect(kept.at(19)).toBe('name t');
    expect(kept.slice(20)).toEqual(['worker', 'worker']);
    expect(names.limit('name a')).toBe('name a');
  });
});
