import { expect, it } from 'vitest';
import { bucket } from './bucket.js';

it('bucket groups numbers by size, with both sides of each border', () => {
  const cases: [unknown, string][] = [
    [0, '0'],
    [0.9, '0'],
    [1, '1'],
    [1.99, '1'],
    [2, '2-9'],
    [9, '2-9'],
    [9.9, '2-9'],
    [10, '10-99'],
    [99, '10-99'],
    [100, '100-999'],
    [123_456, '100000-999999'],
    [999_999_999_999_999, '100000000000000-999999999999999'],
    [1e15, '1000000000000000+'],
    [Infinity, '1000000000000000+'],
    [-1, '<0'],
    [-Infinity, '<0'],
    [NaN, 'NaN'],
    [12n, '10-99'],
    ['7', '2-9'],
    [undefined, 'NaN'],
    [{}, 'NaN'],
  ];
  for (const [value, expected] of cases) expect([value, bucket(value as number)]).toEqual([value, expected]);
});
