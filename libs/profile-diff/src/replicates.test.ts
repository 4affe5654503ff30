import { describe, expect, it } from 'vitest';
import { callNodes } from './call-nodes.js';
import { canonicalSide } from './compared-side.js';
import { planReplicates } from './replicates.js';
import type { ReplicatePlan } from './replicates.js';
import { simulateFleet } from './testing/simulated-fleet.js';
import type { FleetSpec } from './testing/simulated-fleet.js';

const fleet = {
  seed: 3,
  functions: 30,
  cv: 0.05,
  variation: 'even',
  plantedSamples: 6000,
  plantedShare: 0.2,
  planted: [1],
} as const;

function planOf(
  spec: Pick<FleetSpec, 'processes' | 'windows'> & Partial<FleetSpec>,
  kind: 'flow' | 'level' = 'flow',
): ReplicatePlan {
  const input = simulateFleet({ ...fleet, ...spec });
  return planReplicates(canonicalSide(input.baseline), canonicalSide(input.candidate), callNodes(input), kind);
}

describe('planReplicates', () => {
  it('takes processes from three a side', () => {
    expect(planOf({ processes: 3, windows: 10 })).toMatchObject({ kind: 'processes', baseline: { length: 3 } });
    expect(planOf({ processes: 2, windows: 10 }).kind).toBe('windows');
    expect(planOf({ processes: 8, candidateProcesses: 2, windows: 10 }).kind).toBe('windows');
  });

  it('always takes processes for levels', () => {
    expect(planOf({ processes: 1, windows: 10 }, 'level')).toMatchObject({ kind: 'processes', baseline: { length: 1 } });
  });

  it('takes windows one by one where they do not resemble their neighbours, and merges them where they do', () => {
    const independent = planOf({ processes: 2, windows: 30 });
    const drifting = planOf({ processes: 2, windows: 30, variation: 'autocorrelated' });
    expect(independent.baseline.length).toBeGreaterThanOrEqual(20);
    expect(drifting.baseline.length).toBeLessThanOrEqual(16);
    expect(drifting.baseline.length).toBeGreaterThanOrEqual(4);
  });

  it('never has more than 64 a side, and loses neither processes, windows nor seconds', () => {
    for (const plan of [
      planOf({ processes: 150, windows: 1, functions: 2 }),
      planOf({ processes: 2, windows: 90, functions: 2 }),
    ]) {
      expect(plan.baseline.length).toBeLessThanOrEqual(64);
      expect(plan.baseline.length).toBeGreaterThan(4);
      const seconds = plan.baseline.seconds.reduce((sum, one) => sum + one, 0);
      expect(seconds).toBeCloseTo(plan.kind === 'processes' ? 150 * 60 : 2 * 90 * 60, 6);
    }
  });

  it('keeps a replicate within one process', () => {
    const { baseline } = planOf({ processes: 2, windows: 7 });
    const of = [0, 1].map(
      (process) => new Set(Array.from({ length: 7 }, (_, window) => baseline.replicateOf(process, window * 60_000))),
    );
    expect([...of[0]!].some((replicate) => of[1]!.has(replicate))).toBe(false);
  });
});
