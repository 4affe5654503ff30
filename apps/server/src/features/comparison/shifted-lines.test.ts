import { compare } from '@hearth/profile-diff';
import { profilesToPprof, readProfiles } from '@hearth/profile-formats';
import type { Profile } from '@hearth/profile-model';
import { profileFromText } from '@hearth/profile-model/testing';
import { describe, expect, it } from 'vitest';
import { buildComparisonInput, type SideRows } from './build-comparison-input.js';

const [PROCESSES, WINDOWS, WINDOW_MS] = [4, 3, 60_000];

/** What one process sends in a minute, with files and lines as the Node agents write them into names. */
function sent(folder: string, line: number): Profile {
  const place = (name: string, at: number) => `./src/cart.js:${name}:${at + line}@${folder}/src/cart.js`;
  const frames = [place('checkout', 3), place('price', 20), place(`(anonymous:L#${31 + line}:C#8)`, 31)] as const;
  const column = (text: string) => text.padEnd(90);
  const profile = profileFromText(`
${column('400000x40')}600000x60
${column(frames[0])}${frames[0]}
${column(frames[1])}${frames[2]}
`);
  const { profiles } = readProfiles(profilesToPprof([profile]));
  return profiles.find(({ type }) => type.sampleType === 'cpu')!;
}

/** A release whose processes all send the same. */
function release({ functions, stacks, sampleStack, sampleValue, sampleCount }: Profile): SideRows {
  const places = Array.from({ length: PROCESSES * WINDOWS }, (_, at) => ({
    processId: at % PROCESSES,
    windowStartMs: Math.floor(at / PROCESSES) * WINDOW_MS,
  }));
  const rows = places.flatMap((place) => Array.from(sampleStack, (stack, row) => ({ ...place, stack, row })));
  return {
    fromMs: 0,
    untilMs: WINDOWS * WINDOW_MS,
    functions,
    stacks,
    processes: Array.from({ length: PROCESSES }, (_, processId) => ({
      processId,
      id: `p${processId}`,
      seconds: (WINDOWS * WINDOW_MS) / 1000,
      startedAtMs: 0,
      nodeVersion: 'v20.20.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      droppedBatches: 0,
    })),
    samples: {
      processId: rows.map(({ processId }) => processId),
      windowStartMs: rows.map(({ windowStartMs }) => windowStartMs),
      group: rows.map(() => 0),
      stackId: rows.map(({ stack }) => stack),
      value: rows.map(({ row }) => sampleValue[row]!),
      count: rows.map(({ row }) => sampleCount[row]!),
    },
    counts: places.map((place) => ({ ...place, transaction: 0, count: 100, errors: 0, durationSumMicros: 1_000_000 })),
  };
}

describe('a comment line inserted at the top of a file', () => {
  it('changes no function, though names come with their lines', () => {
    const before = sent('/srv/releases/41', 0);
    const after = sent('/srv/releases/42', 1);
    expect(before.functions.length).toBe(3);
    const result = compare(
      buildComparisonInput({
        unit: 'microseconds',
        kind: 'flow',
        transactions: ['POST /checkout'],
        baseline: release(before),
        candidate: release(after),
      }),
    );
    expect(result.basis).toBe('per-transaction');
    expect(new Set(result.functions.map((row) => row.function.name))).toEqual(new Set(['checkout', 'price', '(anonymous)']));
    for (const { change } of result.functions) {
      expect(change.delta).toBe(0);
      expect(change.baseline).toBeGreaterThan(0);
    }
  });
});
