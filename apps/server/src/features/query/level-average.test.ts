import { describe, expect, it } from 'vitest';
import { averageOverTime } from './level-average.js';

describe('averageOverTime', () => {
  it('keeps the sum although every part has a fraction', () => {
    const averages = averageOverTime(Float64Array.of(10, 10, 0, 10), 4);
    expect([...averages]).toEqual([3, 2, 0, 3]);
    expect(averages.reduce((sum, value) => sum + value, 0)).toBe(Math.round(30 / 4));
  });
  it('leaves rows without a value at zero', () => {
    expect([...averageOverTime(Float64Array.of(0, 0), 10)]).toEqual([0, 0]);
  });
});
