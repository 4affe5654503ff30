import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProfile } from './assert-profile.js';
import { filterProfile } from './filter-profile.js';
import { parseLabelMatchers } from './label-matcher.js';
import { mergeProfiles } from './merge-profiles.js';
import { parseProfileTypeId } from './profile-type.js';
import type { Profile } from './profile.js';
import { profileFromText } from './testing/profile-from-text.js';
import { profileToLines } from './testing/profile-to-lines.js';
import { randomProfile } from './testing/random-profile.js';

const seeds = fc.integer();

describe('mergeProfiles', () => {
  it('adds equal stacks of equal labels and keeps the rest apart', () => {
    const a = profileFromText(`
      10            5
      {plan=free}   {plan=pro}
      main          main
      read          read
    `);
    const b = profileFromText(
      `
      1            2
      {plan=free}  {plan=free}
      main         main
      read         parse
    `,
      { startMs: 10_000 },
    );
    const merged = mergeProfiles([a, b]);
    expect(profileToLines(merged)).toEqual([
      'process_cpu:cpu:microseconds:cpu:microseconds from 0 for 20000',
      'main@: > parse@: [["plan","free"]] 2 x1',
      'main@: > read@: [["plan","free"]] 11 x2',
      'main@: > read@: [["plan","pro"]] 5 x1',
    ]);
    expect(merged.stacks.length).toBe(3);
  });
  it('is commutative and associative', () => {
    fc.assert(
      fc.property(seeds, seeds, seeds, (seedA, seedB, seedC) => {
        const [a, b, c] = [randomProfile(seedA), randomProfile(seedB), randomProfile(seedC)];
        const expected = profileToLines(mergeProfiles([a, b, c]));
        expect(profileToLines(mergeProfiles([c, a, b]))).toEqual(expected);
        expect(profileToLines(mergeProfiles([mergeProfiles([a, b]), c]))).toEqual(expected);
        expect(profileToLines(mergeProfiles([a, mergeProfiles([b, c])]))).toEqual(expected);
        assertProfile(mergeProfiles([a, b, c]));
      }),
    );
  });
  it('refuses profiles of different types, and none at all', () => {
    const wall = randomProfile(1, {}, { type: parseProfileTypeId('wall:wall:microseconds:wall:microseconds') });
    expect(() => mergeProfiles([randomProfile(1), wall])).toThrowError(expect.objectContaining({ code: 'PROFILE_TYPES_DIFFER' }));
    expect(() => mergeProfiles([])).toThrowError(expect.objectContaining({ code: 'PROFILE_TYPES_DIFFER' }));
  });
});

describe('filterProfile', () => {
  it('keeps the samples whose labels match', () => {
    const profile = profileFromText(`
      10            5           1
      {plan=free}   {plan=pro}  {}
      main          main        main
    `);
    expect([...filterProfile(profile, parseLabelMatchers('{plan="pro"}')).sampleValue]).toEqual([5]);
    expect([...filterProfile(profile, parseLabelMatchers('{plan!="pro"}')).sampleValue]).toEqual([10, 1]);
    expect(filterProfile(profile, [])).toBe(profile);
  });
  it('gives the same before and after merging', () => {
    const matchers = parseLabelMatchers('{plan="pro"}');
    fc.assert(
      fc.property(seeds, seeds, (seedA, seedB) => {
        const [a, b] = [randomProfile(seedA), randomProfile(seedB)];
        expect(profileToLines(filterProfile(mergeProfiles([a, b]), matchers))).toEqual(
          profileToLines(mergeProfiles([filterProfile(a, matchers), filterProfile(b, matchers)])),
        );
      }),
    );
  });
});

describe('assertProfile', () => {
  const good = profileFromText(`
    1     2
    {}    {a=b}
    main  main
          read
  `);
  it('accepts what the builder makes', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(() => assertProfile(randomProfile(seed))).not.toThrow();
      }),
    );
    expect(() => assertProfile(good)).not.toThrow();
  });
  it.each<[string, Partial<Profile>]>([
    ['PROFILE_TYPE_ID', { type: { ...good.type, name: 'a:b' } }],
    ['PROFILE_TIME', { startMs: Number.NaN }],
    ['PROFILE_TIME', { durationMs: -1 }],
    ['PROFILE_COLUMN_LENGTH', { functions: { ...good.functions, file: [] } }],
    ['PROFILE_COLUMN_LENGTH', { sampleCount: Float64Array.of(1) }],
    ['PROFILE_STACK_ORDER', { stacks: { ...good.stacks, parent: Int32Array.of(0, 0) } }],
    ['PROFILE_STACK_FUNCTION', { stacks: { ...good.stacks, functionRow: Uint32Array.of(0, 2) } }],
    [
      'LABEL_SET_ORDER',
      {
        labelSets: [
          [],
          [
            ['b', ''],
            ['a', ''],
          ],
        ],
      },
    ],
    [
      'LABEL_SET_ORDER',
      {
        labelSets: [
          [],
          [
            ['a', '1'],
            ['a', '2'],
          ],
        ],
      },
    ],
    ['PROFILE_SAMPLE_STACK', { sampleStack: Int32Array.of(0, 2) }],
    ['PROFILE_SAMPLE_STACK', { sampleStack: Int32Array.of(-2, 1) }],
    ['PROFILE_SAMPLE_LABEL_SET', { sampleLabelSet: Uint32Array.of(0, 2) }],
    ['PROFILE_SAMPLE_VALUE', { sampleValue: Float64Array.of(0.5, 1) }],
    ['PROFILE_SAMPLE_VALUE', { sampleValue: Float64Array.of(2 ** 53, 1) }],
    ['PROFILE_SAMPLE_VALUE', { sampleCount: Float64Array.of(-1, 1) }],
  ])('refuses with %s', (code, broken) => {
    expect(() => assertProfile({ ...good, ...broken })).toThrowError(expect.objectContaining({ code }));
  });
});
