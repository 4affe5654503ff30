import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Quota } from '../limits/index.js';
import { RateQuotas } from './rate-quotas.js';

const PROJECT = 1;
const quota: Quota = { ...DEFAULT_LIMITS.quota, profilesPerMinute: 60, bytesPerMinute: 6_000 };
const spent = (retryAfterSeconds: number): unknown =>
  expect.objectContaining({ code: 'QUOTA_SPENT', status: 429, retryAfterSeconds });
const faultOf = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('RateQuotas', () => {
  it('lets a project send its quota at once, then as fast as it fills', () => {
    const rates = new RateQuotas();
    const left = (nowMs: number) => faultOf(() => rates.assertLeft(PROJECT, quota, nowMs));
    rates.take(PROJECT, quota, 'profilesPerMinute', 59, 0);
    expect(left(0)).toBeUndefined();
    rates.take(PROJECT, quota, 'profilesPerMinute', 1, 0);
    expect(left(0)).toEqual(spent(1));
    expect(left(999)).toEqual(spent(1));
    expect(left(1_000)).toBeUndefined();
  });

  it('makes a project that sent too much in one body pay it back, and says how long', () => {
    const rates = new RateQuotas();
    rates.take(PROJECT, quota, 'bytesPerMinute', 16_000, 0);
    const left = (nowMs: number) => faultOf(() => rates.assertLeft(PROJECT, quota, nowMs));
    expect(left(0)).toEqual(spent(101));
    expect(left(100_000)).toEqual(spent(1));
    expect(left(100_010)).toBeUndefined();
  });

  it('saves nothing beyond one minute, and asks nothing of a project without a quota', () => {
    const rates = new RateQuotas();
    rates.assertLeft(PROJECT, quota, 0);
    rates.take(PROJECT, quota, 'profilesPerMinute', 60, 3_600_000);
    expect(faultOf(() => rates.assertLeft(PROJECT, quota, 3_600_000))).toEqual(spent(1));
    rates.take(2, DEFAULT_LIMITS.quota, 'bytesPerMinute', 1e12, 0);
    expect(faultOf(() => rates.assertLeft(2, DEFAULT_LIMITS.quota, 0))).toBeUndefined();
    expect(faultOf(() => rates.assertLeft(3, quota, 3_600_000))).toBeUndefined(); // another project
  });
});
