import { describe, expect, it } from 'vitest';
import { FailedWindows } from './failed-windows.js';

const KEY = { serviceId: 1, profileTypeId: 1, windowStartMs: 60_000, revisionId: 1, environmentId: 1 };

describe('FailedWindows', () => {
  it('lets a window rest for longer after each failure, up to ten minutes', () => {
    const failed = new FailedWindows();
    expect(failed.isResting(KEY, 0)).toBe(false);
    failed.add(KEY, 0);
    expect(failed.isResting(KEY, 14_999)).toBe(true);
    expect(failed.isResting(KEY, 15_000)).toBe(false);
    failed.add(KEY, 15_000);
    expect(failed.isResting(KEY, 44_999)).toBe(true);
    expect(failed.isResting(KEY, 45_000)).toBe(false);
    for (let times = 0; times < 40; times += 1) failed.add(KEY, 50_000);
    expect(failed.isResting(KEY, 649_999)).toBe(true);
    expect(failed.isResting(KEY, 650_000)).toBe(false);
  });

  it('starts again from the beginning once a window was built', () => {
    const failed = new FailedWindows();
    failed.add(KEY, 0);
    failed.remove(KEY);
    expect(failed.isResting(KEY, 1)).toBe(false);
    expect(failed.size).toBe(0);
  });

  it('keeps windows apart and forgets those that nobody asks for any more', () => {
    const failed = new FailedWindows();
    failed.add(KEY, 0);
    expect(failed.isResting({ ...KEY, revisionId: 2 }, 0)).toBe(false);
    failed.forgetOld(3_600_000);
    expect(failed.size).toBe(0);
  });
});
