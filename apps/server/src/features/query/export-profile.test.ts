import { describe, expect, it } from 'vitest';
import { NO_PARENT, PROFILE_TYPE_IDS, assertProfile, labelSet, parseProfileTypeId } from '@hearth/profile-model';
import { averageExportRows, exportProfile } from './export-profile.js';

const head = { type: parseProfileTypeId(PROFILE_TYPE_IDS.cpu), startMs: 0, durationMs: 60_000 };
/** The dictionary of a service: a calls b, c is of another release. */
const rows = {
  functions: { length: 3, name: ['a', 'c', 'b'], package: ['', '', ''], file: ['a.js', 'c.js', 'b.js'] },
  stacks: { length: 3, parent: Int32Array.of(-1, -1, 0), functionRow: Uint32Array.of(0, 1, 2) },
  labelSets: [labelSet({ plan: 'pro' }), labelSet({})],
};

describe('exportProfile', () => {
  it('keeps values, counts and label sets, and leaves out what does not occur', () => {
    const profile = exportProfile(head, {
      ...rows,
      stackId: [2, 2, NO_PARENT],
      labelSetRow: [0, 1, 1],
      value: [10, 5, 1],
      count: [2, 1, 1],
    });
    assertProfile(profile);
    expect(profile.functions.name).toEqual(['a', 'b']);
    expect([...profile.sampleValue]).toEqual([10, 5, 1]);
    expect([...profile.sampleCount]).toEqual([2, 1, 1]);
    expect([...profile.sampleLabelSet].map((row) => profile.labelSets[row])).toEqual([[['plan', 'pro']], [], []]);
    expect([...profile.sampleStack]).toEqual([1, 1, NO_PARENT]);
  });
  it('averages a level after summing it, samples without frames for themselves', () => {
    const averaged = averageExportRows(
      { ...rows, stackId: [2, 0, 2, NO_PARENT], labelSetRow: [1, 1, 1, 1], value: [10, 10, 10, 5], count: [1, 1, 1, 1] },
      4,
    );
    expect(averaged.stackId).toEqual([NO_PARENT, 0, 2]);
    expect(averaged.value).toEqual([1, 3, 5]); // 1.25; 2.5 and 5, which sum to 7.5
  });
  it('follows a stack deeper than a call stack', () => {
    const length = 50_000;
    const stacks = { length, parent: Int32Array.from({ length }, (_, row) => row - 1), functionRow: new Uint32Array(length) };
    const profile = exportProfile(head, { ...rows, stacks, stackId: [length - 1], labelSetRow: [1], value: [1], count: [1] });
    expect(profile.stacks.length).toBe(length);
  });
});
