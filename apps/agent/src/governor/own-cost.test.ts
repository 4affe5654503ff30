import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OwnCost, SampledCost } from './own-cost.js';

let nowMs: number;
beforeEach(() => {
  nowMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => vi.restoreAllMocks());

/** What is said that such pieces of work take, in ms. */
function said(piecesMs: readonly number[]): number {
  const cost = new OwnCost();
  const sampled = new SampledCost(cost, 'waits');
  for (const ms of piecesMs) {
    const beganAt = sampled.begin();
    nowMs += ms;
    sampled.end(beganAt);
    nowMs += 1;
  }
  return cost.take().waits;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const pieces = (count: number, ms: (at: number) => number): number[] => Array.from({ length: count }, (_, at) => ms(at));

describe('SampledCost', () => {
  it('is what all pieces take, of which it times few', () => {
    const asked = pieces(6_100, () => 0.002);
    expect(said(asked) / sum(asked)).toBeCloseTo(1, 1);
  });

  it('sees the ends of what it sees the beginnings of, in a host that does one thing after the other', () => {
    for (const ofEnd of [0.001, 0.008]) {
      const asked = pieces(61_000, (at) => (at % 2 === 0 ? 0.002 : ofEnd));
      expect(said(asked) / sum(asked)).toBeCloseTo(1, 1);
    }
  });

  it('does not let the first one, which is not compiled yet, stand for those after it', () => {
    const asked = pieces(100, (at) => (at === 0 ? 20 : 0.002));
    expect(said(asked)).toBeLessThan(sum(asked) + 0.1);
  });

  it('does not let one stand for others that the machine interrupted for something else', () => {
    const usual = pieces(6_100, () => 0.002);
    for (let at = 0; at < 200; at += 1) {
      const asked = usual.with(3_000 + at, 8);
      expect(said(asked) / sum(usual)).toBeLessThan(8 / sum(usual) + 1.1);
    }
  });

  it('follows when all pieces take longer than they did', () => {
    const asked = pieces(6_100, (at) => (at < 3_050 ? 0.002 : 0.2));
    expect(said(asked) / sum(asked)).toBeCloseTo(1, 1);
  });
});
