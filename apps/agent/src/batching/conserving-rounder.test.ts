import { expect, it } from 'vitest';
import { ConservingRounder } from './conserving-rounder.js';

it('ConservingRounder gives steps, and the rest when it is asked for', () => {
  const rounder = new ConservingRounder();
  expect([10_150, 49, 1, 0, 99.5].map((value) => rounder.round(value, 100))).toEqual([10_100, 0, 100, 0, 0]);
  expect(rounder.round(0.5)).toBe(100);
});

it('ConservingRounder keeps the sum, and never gives less than 0', () => {
  const rounder = new ConservingRounder();
  expect([0.4, 0.4, 0.4, 0, 0.8].map((value) => rounder.round(value))).toEqual([0, 0, 1, 0, 1]);
  let [exact, rounded] = [0, 0];
  for (let at = 0; at < 10_000; at += 1) {
    const value = (at * 0.7357) % 3;
    exact += value;
    rounded += rounder.round(value);
    expect(Math.abs(exact - rounded)).toBeLessThan(1.001);
  }
  const thirds = new ConservingRounder();
  expect([1, 1, 1].map((value) => thirds.round(value / 3)).reduce((sum, value) => sum + value, 0)).toBe(1);
});
