import { expect, it } from 'vitest';
import { ageStratum } from './age-stratum.js';

it('tells four ages of a process apart, each with its beginning and without its end', () => {
  const minutes = [-1, 0, 0.99, 1, 4.99, 5, 14.99, 15, 1e9];
  expect(minutes.map((age) => ageStratum(age * 60_000))).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
  expect(ageStratum(Infinity)).toBe(3);
});
