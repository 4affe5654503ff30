import { describe, expect, it } from 'vitest';
import { compare } from './compare.js';
import { findingsOf } from './testing/findings.js';
import { simulateFleet } from './testing/simulated-fleet.js';
import type { FleetSpec, FleetVariation } from './testing/simulated-fleet.js';

/** A handful of runs of what bench/src/comparison.ts does hundreds of times: enough to notice that it broke. */
const RUNS = 8;
/** Hundreds of comparisons on a machine that may be busy with other tests. */
const TIMEOUT_MS = 120_000;
const fleet = {
  processes: 4,
  functions: 300,
  windows: 2,
  cv: 0.05,
  variation: 'even',
  plantedSamples: 1500,
  plantedShare: 0.05,
  planted: [1],
} satisfies Omit<FleetSpec, 'seed'>;

function runs(spec: Omit<FleetSpec, 'seed'>) {
  return Array.from({ length: RUNS }, (_, run) => {
    const fleetOfRun = { ...spec, seed: 700 + run };
    return findingsOf(compare(simulateFleet(fleetOfRun)), fleetOfRun);
  });
}

describe('simulated fleets', { timeout: TIMEOUT_MS }, () => {
  it('in which nothing changed raise no alarm, however their processes vary', () => {
    for (const variation of ['even', 'uneven', 'heavy tails', 'hot process', 'common'] satisfies FleetVariation[]) {
      const alarmed = runs({ ...fleet, variation }).filter(({ falseAlarms }) => falseAlarms > 0);
      expect({ variation, tooMany: alarmed.length > 1 }).toEqual({ variation, tooMany: false });
    }
  });

  it('whose long functions are counted more regularly than by chance say nothing of the short ones that chance does not', () => {
    const pOfShort = Array.from({ length: 20 }, (_, seed) =>
      compare(
        simulateFleet({
          ...fleet,
          processes: 8,
          functions: 200,
          windows: 3,
          cv: 0.003,
          variation: 'regular',
          plantedSamples: 200,
          seed,
        }),
      ).functions.flatMap((row) =>
        row.metric === 'self' && row.transaction === null && /^f\d*[05]$/.test(row.function.name) ? [row.change.p!] : [],
      ),
    ).flat();
    expect(pOfShort.length).toBeGreaterThan(700);
    // One in twenty is below .05; without the floor of counting it was one in ten.
    expect(pOfShort.filter((p) => p < 0.05).length / pOfShort.length).toBeLessThan(0.065);
  });

  it('of four processes a side show a function that became 30 % dearer, on top', () => {
    const found = runs({ ...fleet, planted: [1.3] });
    expect(found.filter(({ missed }) => missed === 0).length).toBeGreaterThanOrEqual(RUNS - 2);
    expect(found.filter(({ plantedLeads }) => plantedLeads).length).toBeGreaterThanOrEqual(RUNS - 2);
  });

  it('of two processes a side are never sure', () => {
    const found = runs({ ...fleet, processes: 2, windows: 12, variation: 'autocorrelated', planted: [2] });
    expect(found.every(({ falseAlarms, missed }) => falseAlarms === 0 && missed === 1)).toBe(true);
    expect(found.every(({ plantedLeads }) => plantedLeads)).toBe(true); // likely, but on top
  });
});
