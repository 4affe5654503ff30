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
const shares = (drawing: string, available: number) => [...cpuShares(samplesOf(drawing), available)];

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('cpuShares', () => {
  it('divides what lies between two busy samples, and gives the sides towards idle time equal parts of the rest', () => {
    expect(shares('idle 1 / work 4 / work 10 / work 2 / idle 7 / work 3 / idle 1', 28)).toEqual([0, 9, 6, 5, 0, 8, 0]);
  });

  it('lets the gaps around samples that do not tell share what the next one holds', () => {
    expect(shares('work 10 / program ? / work 10', 20)).toEqual([7.5, 5, 7.5]);
    expect(shares('work 10 / program ? / program ? / idle 0', 30)).toEqual([10, 10, 10, 0]);
  });

  it('leaves the head of a burst unknown where its first sample does not tell', () => {
    expect(shares('idle 0 / program ? / work 20 / idle 5', 25)).toEqual([0, 12.5, 12.5, 0]);
    expect(shares('idle 0 / program ? / work 20 / idle 5 / work 0', 25)).toEqual([0, 8.75, 8.75, 0, 7.5]);
  });

  it('gives nothing where no sample was busy', () => {
    expect(shares('idle 3 / idle 4', 7)).toEqual([0, 0]);
  });

  it('always hands out exactly what there is', () => {
    const random = randomNumbers(7);
    for (let run = 0; run < 200; run += 1) {
      const length = 1 + Math.floor(random() * 40);
      const isIdle = Uint8Array.from({ length }, () => (random() < 0.5 ? 1 : 0));
      const cpuNanos = Float64Array.from({ length }, () => (random() < 0.1 ? Number.NaN : Math.floor(random() * 1e7)));
      for (const available of [0, 1e6, 5e8]) {
        const given = cpuShares({ length, cpuNanos, isIdle }, available);
        const sum = given.reduce((total, share) => total + share, 0);
        if (isIdle.includes(0)) expect(sum).toBeCloseTo(available, 0);
        given.forEach((share, at) => expect(isIdle[at] === 1 ? share === 0 : share >= 0).toBe(true));
      }
    }
  });

  // The thread is simulated: bursts of `light` and `heavy` work with idle time between them, sampled every 10 ms.
  it.each([
    { name: 'a core of its own', runMs: 1_000, waitMs: 0, tolerance: 0.02 },
    { name: 'a core shared with another program', runMs: 4, waitMs: 4, tolerance: 0.06 },
    { name: 'a core of which it gets a quarter', runMs: 4, waitMs: 12, tolerance: 0.06 },
  ])('charges short and long bursts in proportion to their CPU, on $name', ({ runMs, waitMs, tolerance }) => {
    const { truth, estimate } = simulateThread({ runMs, waitMs, lightMs: 3, heavyMs: 24 });
    expect(estimate.heavy / estimate.light / (truth.heavy / truth.light)).toBeGreaterThan(1 - tolerance);
    expect(estimate.heavy / estimate.light / (truth.heavy / truth.light)).toBeLessThan(1 + tolerance);
  });
});

/** A thread that alternates work and idle time; while it works it runs `runMs` and then waits `waitMs` for its core. Ticks that come while it waits are one sample, taken when it runs again. */
function simulateThread({
  runMs,
  waitMs,
  lightMs,
  heavyMs,
}: {
  runMs: number;
  waitMs: number;
  lightMs: number;
  heavyMs: number;
}) {
  const random = randomNumbers(11);
  const STEP_MS = 0.1;
  const TICK_MS = 10;
  const truth = { light: 0, heavy: 0 };
  const samples: { kind: 'light' | 'heavy' | 'idle'; cpu: number }[] = [];
  let clockMs = 0;
  let cpu = 0;
  let cpuAtSample = 0;
  let nextTickMs = TICK_MS;
  const sample = (kind: 'light' | 'heavy' | 'idle') => {
    if (clockMs < nextTickMs) return;
    samples.push({ kind, cpu: cpu - cpuAtSample });
    cpuAtSample = cpu;
    while (nextTickMs <= clockMs) nextTickMs += TICK_MS;
  };
  for (let burst = 0; burst < 20_000; burst += 1) {
    const kind = random() < 0.5 ? 'light' : 'heavy';
    const workMs = (kind === 'light' ? lightMs : heavyMs) * (0.5 + random());
    truth[kind] += workMs;
    let leftInSliceMs = runMs * random(); // a slice may have begun before the burst
    for (let doneMs = 0; doneMs < workMs; doneMs += STEP_MS) {
      if (leftInSliceMs <= 0) {
        clockMs += waitMs;
        leftInSliceMs = runMs;
      }
      clockMs += STEP_MS;
      cpu += STEP_MS;
      leftInSliceMs -= STEP_MS;
      sample(kind);
    }
    for (const untilMs = clockMs + 5 + 40 * random(); clockMs < untilMs; clockMs += STEP_MS) sample('idle');
  }
  const given = cpuShares(
    {
      length: samples.length,
      cpuNanos: Float64Array.from(samples, (one) => one.cpu),
      isIdle: Uint8Array.from(samples, ({ kind }) => (kind === 'idle' ? 1 : 0)),
    },
    cpu,
  );
  const estimate = { light: 0, heavy: 0 };
  samples.forEach(({ kind }, at) => {
    if (kind !== 'idle') estimate[kind] += given[at]!;
  });
  return { truth, estimate };
}
