import { describe, expect, it } from 'vitest';
import { CAPTURE_MS_PER_SECOND, CAPTURES_PER_SECOND, CaptureBudget } from './capture-budget.js';

/** Draws `perSecond` operations a second, evenly, for some seconds; each capture takes so long. @returns What each second's captured ones were weighed with. */
function run(budget: CaptureBudget, perSecond: number, seconds: number, fromMs = 0, captureMs = (): number => 0.01): number[][] {
  return Array.from({ length: seconds }, (_, second) => {
    const weights: number[] = [];
    for (let at = 0; at < perSecond; at += 1) {
      const weight = budget.draw(fromMs + (second + at / perSecond) * 1000);
      if (weight > 0) {
        weights.push(weight);
        budget.took(captureMs());
      }
    }
    return weights;
  });
}

describe('CaptureBudget', () => {
  it('captures everything while there is little', () => {
    const seconds = run(new CaptureBudget(10_000), CAPTURES_PER_SECOND, 3);
    expect(seconds.map((weights) => weights.length)).toEqual([200, 200, 200]);
    expect(seconds.flat().every((weight) => weight === 1)).toBe(true);
  });
  it('stays within one and a half times its budget, also in the first second of a burst', () => {
    for (const weights of run(new CaptureBudget(10_000), 50_000, 5)) {
      expect(weights.length).toBeLessThanOrEqual(CAPTURES_PER_SECOND * 1.5);
      expect(weights.length).toBeGreaterThan(20);
    }
  });
  it('weighs what it captures so that the weights sum to what there was', () => {
    const [, ...settled] = run(new CaptureBudget(10_000), 20_000, 21);
    const sum = settled.flat().reduce((all, weight) => all + weight, 0);
    expect(Math.abs(sum / (20_000 * 20) - 1)).toBeLessThan(0.15);
  });
  it('captures at most 2,000 in the longest period, and comes back after a burst', () => {
    const budget = new CaptureBudget(60_000);
    expect(run(budget, 1_000, 60).flat().length).toBeLessThanOrEqual(3_000);
    expect(run(budget, 1, 3, 70_000).flat()).toEqual([1, 1, 1]);
  });
  it('captures fewer where one takes long, as many as its time allows, and all again where it does not', () => {
    const budget = new CaptureBudget(10_000);
    expect(run(budget, CAPTURES_PER_SECOND, 2, 0, () => 0.1).flat()).toEqual(Array.from({ length: 400 }, () => 1)); // credit of its start
    run(budget, CAPTURES_PER_SECOND, 8, 2_000, () => 0.1);
    const dear = run(budget, CAPTURES_PER_SECOND, 20, 10_000, () => 0.1);
    const perSecond = dear.flat().length / dear.length;
    expect(perSecond).toBeLessThanOrEqual((CAPTURE_MS_PER_SECOND / 0.1) * 1.2);
    expect(perSecond).toBeGreaterThan((CAPTURE_MS_PER_SECOND / 0.1) * 0.5);
    const sum = dear.flat().reduce((all, weight) => all + weight, 0);
    expect(Math.abs(sum / (CAPTURES_PER_SECOND * 20) - 1)).toBeLessThan(0.25);
    run(budget, CAPTURES_PER_SECOND, 5, 30_000);
    expect(run(budget, CAPTURES_PER_SECOND, 1, 35_000).flat().length).toBe(CAPTURES_PER_SECOND);
  });
  it('goes on with some a second, whatever one takes', () => {
    const [, ...seconds] = run(new CaptureBudget(10_000), 100, 21, 0, () => 50);
    expect(seconds.flat().length / 20).toBeGreaterThan(2);
    expect(seconds.flat().length / 20).toBeLessThan(6);
  });
  it('takes no single capture that the machine interrupted for the rule', () => {
    let captures = 0;
    const seconds = run(new CaptureBudget(10_000), 100, 20, 0, () => ((captures += 1) % 5 === 0 ? 30 : 0.01));
    expect(seconds.flat().every((weight) => weight === 1)).toBe(true);
  });
});
