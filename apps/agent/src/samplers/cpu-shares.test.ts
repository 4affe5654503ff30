import { describe, expect, it } from 'vitest';
import { cpuShares } from './cpu-shares.js';

/** Draws samples as `idle 1 / work 4 / work ?`: what ran, and the CPU since the sample before. */
function samplesOf(drawing: string) {
  const samples = drawing.split('/').map((one) => one.trim().split(' '));
  return {
    length: samples.length,
    cpuNanos: Float64Array.from(samples, ([, cpu]) => (cpu === '?' ? Number.NaN : Number(cpu))),
    isIdle: Uint8Array.from(samples, ([name]) => (name === 'idle' ? 1 : 0)),
  };
}
const shares = (drawing: string, interval: number, available: number) => [...cpuShares(samplesOf(drawing), interval, available)];

describe('cpuShares', () => {
  it('gives a busy sample after an idle one an interval, later ones what their counters say, all scaled to what was used', () => {
    expect(shares('idle 1 / work 4 / work 10 / work 2 / idle 5', 10, 22)).toEqual([0, 10, 10, 2, 0]);
    expect(shares('idle 1 / work 4 / work 10 / work 2 / idle 5', 10, 44)).toEqual([0, 20, 20, 4, 0]);
  });

  it('lets samples that do not tell share what the next one holds', () => {
    expect(shares('work 10 / program ? / work 10', 10, 20)).toEqual([10, 5, 5]);
    expect(shares('work 10 / program ? / program ? / idle 0', 10, 30)).toEqual([10, 10, 10, 0]);
  });

  it('gives nothing where no sample was busy', () => {
    expect(shares('idle 3 / idle 4', 10, 7)).toEqual([0, 0]);
    expect(shares('work 0 / work 0', 0, 7)).toEqual([0, 0]);
  });

  it('always hands out exactly what there is', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let run = 0; run < 200; run += 1) {
      const length = 1 + Math.floor(random() * 40);
      const isIdle = Uint8Array.from({ length }, () => (random() < 0.5 ? 1 : 0));
      const cpuNanos = Float64Array.from({ length }, () => (random() < 0.1 ? Number.NaN : Math.floor(random() * 1e7)));
      const given = cpuShares({ length, cpuNanos, isIdle }, 1e7, 5e8);
      const sum = given.reduce((total, share) => total + share, 0);
      if (isIdle.includes(0)) expect(sum).toBeCloseTo(5e8, 0);
      given.forEach((share, at) => expect(isIdle[at] === 1 ? share === 0 : share >= 0).toBe(true));
    }
  });
});
