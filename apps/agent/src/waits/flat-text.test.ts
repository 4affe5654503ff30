import { queryObjects } from 'node:v8';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flatText } from './flat-text.js';

it('is the same text, also of half pairs', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => flatText(text) === text));
  expect(flatText('a\ud800b')).toBe('a\ud800b');
});

it('keeps nothing of what it was cut out of', () => {
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 40 }, (_, at) => flatText(`${at}${'x'.repeat(5_000_000)}`.replace('x', 'y').slice(0, 100)));
  expect(kept).toHaveLength(40);
  queryObjects(WeakSet, { format: 'count' }); // collects all garbage first
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(120_000_000); // 200 MB were they all kept
});
