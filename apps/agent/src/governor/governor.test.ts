import { describe, expect, it } from 'vitest';
import { Governor } from './governor.js';
import type { Levers } from './levers.js';
import { noCosts, type Costs } from './own-cost.js';

const PERIOD_MS = 10_000;
const BUDGET = { cpuPct: 1, pauseMs: 50 };
const costs = (some: Partial<Costs>): Costs => ({ ...noCosts(), ...some });

/** A host in which each part costs so many milliseconds in a period while nothing is lowered; all stacks and the heap in its flush. */
function run(governor: Governor, periods: number, asked: Partial<Costs>, onChange: (levers: Levers, at: number) => void): void {
  for (let at = 0; at < periods; at += 1) {
    const { sampled, captures, waits, heap, labels } = governor.levers;
    const { stacks = 0, heap: heapMs = 0, waits: waitsMs = 0, transactions = 0 } = asked;
    const pause = costs({ stacks: stacks * sampled, heap: heap === 'on' ? heapMs : 0 });
    const spent = costs({
      ...pause,
      waits: waits === 'on' ? waitsMs * (0.2 + 0.8 * captures) : 0,
      transactions: labels === 'kept' ? transactions : transactions / 2,
    });
    const change = governor.judge({ durationMs: PERIOD_MS, spent, pause });
    if (change !== undefined) onChange(change.levers, at);
  }
}

function changesOf(governor: Governor, periods: number, asked: Partial<Costs>): [number, Levers][] {
  const changes: [number, Levers][] = [];
  run(governor, periods, asked, (levers, at) => changes.push([at, levers]));
  return changes;
}

describe('Governor', () => {
  it('never touches an agent within its budget, up to the last millisecond', () => {
    const governor = new Governor(BUDGET);
    expect(changesOf(governor, 10_000, { stacks: 40, heap: 10, waits: 40, transactions: 10 })).toEqual([]);
    expect(changesOf(new Governor(BUDGET), 10, { stacks: 40, heap: 10, waits: 41, transactions: 10 })).not.toEqual([]);
    expect(governor.hasActed).toBe(false);
  });

  it('forgives a cold start and a single period', () => {
    const governor = new Governor(BUDGET);
    const dear = { durationMs: PERIOD_MS, spent: costs({ stacks: 500 }), pause: costs({ stacks: 500 }) };
    const cheap = { durationMs: PERIOD_MS, spent: costs({ stacks: 5 }), pause: costs({ stacks: 5 }) };
    for (const period of [dear, dear, dear, dear, cheap, dear, cheap, dear, cheap])
      expect(governor.judge(period)).toBeUndefined();
    expect(governor.judge(dear)).toBeUndefined();
    expect(governor.judge(dear)?.levers.sampled).toBe(0);
  });

  it('lowers what costs most, step by step, until it is within the budget, and no further', () => {
    const governor = new Governor(BUDGET);
    const changes = changesOf(governor, 20, { stacks: 30, waits: 250 });
    expect(changes.map(([, { sampled, captures, waits }]) => [sampled, captures, waits])).toEqual([
      [1, 0.25, 'on'],
      [1, 0, 'on'],
    ]);
    expect(governor.steps).toBe(2);
  });

  it('samples less where a flush blocks for too long, though the CPU is within its budget', () => {
    const [first, ...more] = changesOf(new Governor({ cpuPct: 50, pauseMs: 50 }), 5, { stacks: 90, waits: 400 });
    expect(first?.[1]).toMatchObject({ sampled: 0.5, captures: 1 });
    expect(more).toEqual([]);
  });

  it('switches off at the cap what costs most', () => {
    const [first] = changesOf(new Governor(BUDGET), 10, { heap: 2_000, stacks: 20 });
    expect(first?.[1]).toMatchObject({ heap: 'off', sampled: 1 });
  });

  it('goes back to what was asked for when the load is gone, one step at a time', () => {
    const governor = new Governor(BUDGET);
    changesOf(governor, 10, { waits: 300 });
    const changes = changesOf(governor, 500, { waits: 10 });
    expect(changes.map(([, { captures }]) => captures)).toEqual([0.25, 1]);
    expect(changes[0]![0]).toBeGreaterThan(55); // ten minutes: nothing tells what the captures would cost
    expect(changes[1]![0] - changes[0]![0]).toBeLessThan(10);
    expect(governor.steps).toBe(0);
    expect(governor.hasActed).toBe(true);
  });

  it('does not flap: what is needed again is taken back ever later', () => {
    const governor = new Governor(BUDGET);
    const perDay = changesOf(governor, 8_640, { heap: 250 }); // a day
    expect(perDay.length).toBeLessThan(24);
    const offAt = perDay.filter(([, { heap }]) => heap === 'off').map(([at]) => at);
    const gaps = offAt.slice(1).map((at, index) => at - offAt[index]!);
    for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(gaps[index - 1] ?? 0);
    expect(gaps.at(-1)! * PERIOD_MS).toBeGreaterThan(2 * 3_600_000);
  });

  it('does not take back what would be too much again', () => {
    const governor = new Governor(BUDGET);
    const changes = changesOf(governor, 1_000, { stacks: 140 });
    expect(changes.map(([, { sampled }]) => sampled)).toEqual([0.5, 0.25]); // 70 ms are a pause too long
  });

  it('judges periods that the host ends early together', () => {
    const governor = new Governor(BUDGET);
    const short = { durationMs: 100, spent: costs({ stacks: 5 }), pause: costs({ stacks: 5 }) };
    for (let at = 0; at < 44; at += 1) expect(governor.judge(short)).toBeUndefined();
    expect(governor.judge(short)?.levers.sampled).toBe(0);
  });
});
