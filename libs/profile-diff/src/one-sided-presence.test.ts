import { describe, expect, it } from 'vitest';
import { presenceP } from './one-sided-presence.js';
import type { SideRate } from './side-rate.js';

function side(samples: number, expectedSamples: number, replicates: number): SideRate {
  const share = new Float64Array(replicates).fill(1 / replicates);
  return { rate: samples, samples, expectedSamples, share, deviation: new Float64Array(replicates), countingPerSample: share };
}

describe('presenceP', () => {
  it('without overdispersion is the tail of a binomial: every sample on one side', () => {
    const p = presenceP({ baseline: side(0, 5, 4), candidate: side(10, 5, 4) }, 1e-9);
    expect(p).toBeCloseTo(2 * 0.5 ** 10, 7);
  });

  it('knows which side did more work', () => {
    const likely = presenceP({ baseline: side(0, 1, 4), candidate: side(10, 9, 4) }, 1e-9);
    const unlikely = presenceP({ baseline: side(10, 1, 4), candidate: side(0, 9, 4) }, 1e-9);
    expect(likely).toBeCloseTo(2 * 0.9 ** 10, 6);
    expect(unlikely).toBeCloseTo(2 * 0.1 ** 10, 12);
  });

  it('is a beta-binomial: two samples, overdispersion 1, two processes', () => {
    // alpha = beta = 1: all splits of two samples are alike, so both on the same given side is 1/3.
    expect(presenceP({ baseline: side(0, 1, 1), candidate: side(2, 1, 1) }, 1)).toBeCloseTo(2 / 3, 12);
  });

  it('believes less in bursts the more processes differ', () => {
    const rates = { baseline: side(0, 50, 4), candidate: side(100, 50, 4) };
    expect(presenceP(rates, 1)).toBeGreaterThan(presenceP(rates, 0.01));
  });

  it('has nothing to say where both sides have samples', () => {
    expect(presenceP({ baseline: side(3, 5, 4), candidate: side(10, 5, 4) }, 0.1)).toBe(1);
  });
});
