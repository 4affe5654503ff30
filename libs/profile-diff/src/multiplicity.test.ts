import { describe, expect, it } from 'vitest';
import { falseDiscoveryRates } from './multiplicity.js';

describe('falseDiscoveryRates', () => {
  it('selects what Benjamini and Hochberg select in the example of their paper', () => {
    // Section 4.1 of the paper: 15 hypotheses, four of which are rejected at .05.
    const p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1];
    expect(falseDiscoveryRates(p).filter((q) => q <= 0.05)).toHaveLength(4);
  });

  it('keeps the order of its input, and q never falls when p rises', () => {
    const q = falseDiscoveryRates([0.04, 0.01, 0.03]);
    expect(q[0]).toBeCloseTo(0.04);
    expect(q[1]).toBeCloseTo(0.03);
    expect(q[2]).toBeCloseTo(0.04);
  });

  it('leaves a single hypothesis alone and accepts none', () => {
    expect(falseDiscoveryRates([0.2])).toEqual([0.2]);
    expect(falseDiscoveryRates([])).toEqual([]);
  });
});
