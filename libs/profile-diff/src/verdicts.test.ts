import { describe, expect, it } from 'vitest';
import type { Hypothesis } from './hypotheses.js';
import type { SideRate } from './side-rate.js';
import { judgedChange, unjudgedChange } from './verdicts.js';
import type { RowRules, VerdictRules } from './verdicts.js';

const rules: VerdictRules = { alarmLevel: 0.002, possibleQ: 0.05, strongest: 'alarm', minutes: 30 };
const row: RowRules = { floor: 5, tested: 100, windowsPresent: () => 3 };

function rate(value: number): SideRate {
  const none = new Float64Array(0);
  return { rate: value, samples: value, expectedSamples: 100, share: none, deviation: none, countingPerSample: none };
}

function hypothesis(
  before: number,
  after: number,
  test: { q: number; standardError?: number; countingVariance?: number },
): Hypothesis {
  const { q, standardError = 0.02, countingVariance = 0 } = test;
  const ratio = before > 0 && after > 0 ? { log: Math.log(after / before), standardError, countingVariance } : undefined;
  return {
    pair: { scope: -1, functionId: 0, metric: 'self', baseline: rate(before), candidate: rate(after) },
    test: { p: q / 10, df: 40, ratio },
    q,
  };
}

describe('judgedChange', () => {
  it('alarms at the level and at the floor, not beyond', () => {
    expect(judgedChange(hypothesis(100, 120, { q: 0.002 }), rules, row).verdict).toBe('REGRESSED');
    expect(judgedChange(hypothesis(100, 80, { q: 0.002 }), rules, row).verdict).toBe('IMPROVED');
    expect(judgedChange(hypothesis(100, 120, { q: 0.0021 }), rules, row).verdict).toBe('LIKELY_REGRESSED');
    expect(judgedChange(hypothesis(100, 120, { q: 0.05 }), rules, row).verdict).toBe('LIKELY_REGRESSED');
    expect(judgedChange(hypothesis(100, 120, { q: 0.051 }), rules, row).verdict).toBe('NOT_ENOUGH_DATA');
    expect(judgedChange(hypothesis(100, 105, { q: 0.001 }), rules, row).verdict).toBe('REGRESSED');
    expect(judgedChange(hypothesis(100, 104.9, { q: 0.001 }), rules, row).verdict).toBe('NOT_ENOUGH_DATA');
  });

  it('is unchanged only if the whole interval of the change is within the floor', () => {
    expect(judgedChange(hypothesis(100, 101, { q: 0.8, standardError: 0.019 }), rules, row).verdict).toBe('UNCHANGED');
    expect(judgedChange(hypothesis(100, 101, { q: 0.8, standardError: 0.021 }), rules, row).verdict).toBe('NOT_ENOUGH_DATA');
  });

  it('is never more than likely where replicates are not processes', () => {
    const cautious: VerdictRules = { ...rules, strongest: 'likely at most' };
    expect(judgedChange(hypothesis(100, 300, { q: 1e-9 }), cautious, row).verdict).toBe('LIKELY_REGRESSED');
    expect(judgedChange(hypothesis(0, 300, { q: 1e-9 }), cautious, row).verdict).toBe('LIKELY_REGRESSED');
  });

  it('calls new and gone what was there in three windows', () => {
    expect(judgedChange(hypothesis(0, 50, { q: 1e-9 }), rules, row)).toMatchObject({
      verdict: 'NEW',
      deltaPct: null,
      intervalPct: null,
    });
    expect(judgedChange(hypothesis(50, 0, { q: 1e-9 }), rules, row)).toMatchObject({ verdict: 'GONE', deltaPct: -100 });
    expect(judgedChange(hypothesis(0, 50, { q: 1e-9 }), rules, { ...row, windowsPresent: () => 2 }).verdict).toBe(
      'NOT_ENOUGH_DATA',
    );
    expect(judgedChange(hypothesis(0, 4.9, { q: 1e-9 }), rules, row).verdict).toBe('NOT_ENOUGH_DATA');
  });

  it('asks for more minutes only where time would help', () => {
    const noise = { q: 0.5, standardError: 0.04 };
    const allCounting = judgedChange(hypothesis(100, 100, { ...noise, countingVariance: 0.0016 }), rules, row);
    // 10 % is wanted and `minimumDetectablePct` is had: the standard error has to shrink by that, its square by the square.
    const factor = Math.log1p(allCounting.minimumDetectablePct! / 100) / Math.log(1.1);
    expect(allCounting.moreMinutesNeeded).toBe(Math.ceil(30 * (factor ** 2 - 1)));
    expect(judgedChange(hypothesis(100, 100, { ...noise, countingVariance: 0 }), rules, row).moreMinutesNeeded).toBeNull(); // more processes
    expect(
      judgedChange(hypothesis(100, 100, { q: 0.5, standardError: 0.01, countingVariance: 0.0001 }), rules, row).moreMinutesNeeded,
    ).toBeNull(); // had already
  });
});

describe('unjudgedChange', () => {
  it('has figures and neither p nor interval', () => {
    expect(unjudgedChange({ baseline: rate(4), candidate: rate(5) })).toMatchObject({
      delta: 1,
      deltaPct: 25,
      p: null,
      q: null,
      intervalPct: null,
      verdict: 'NO_VERDICT',
    });
    expect(unjudgedChange({ baseline: rate(0), candidate: rate(5) }).deltaPct).toBeNull();
  });
});
