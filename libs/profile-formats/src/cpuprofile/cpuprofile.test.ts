import { readFileSync } from 'node:fs';
import { callTree, profileTypeId, selfByStack, selfWithoutStack } from '@hearth/profile-model';
import { callTreeToText } from '@hearth/profile-model/testing';
import { describe, expect, it } from 'vitest';
import type { ReadProfilesOptions } from '../read-profiles.js';
import { readProfiles } from '../read-profiles.js';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));
const read = (json: unknown, options?: ReadProfilesOptions): string => {
  const profile = readProfiles(bytesOf(json), options).profiles[0]!;
  return callTreeToText(callTree(profile.stacks, selfByStack(profile), selfWithoutStack(profile)), profile.functions);
};
const frame = (functionName: string, url = ''): object => ({ functionName, scriptId: '0', url, lineNumber: 3, columnNumber: 1 });
const nodes = [
  { id: 1, callFrame: frame('(root)'), children: [2, 4] },
  { id: 2, callFrame: frame('main', 'file:///srv/shop/src/main.js'), children: [3] },
  { id: 3, callFrame: frame('', 'file:///srv/shop/node_modules/pg/x.js') },
  { id: 4, callFrame: frame('(idle)') },
];
const profile = { nodes, startTime: 1_000, endTime: 5_000, samples: [3, 2, 4], timeDeltas: [100, 2_000, 30] };
const drawing = 'total 2130\n  main 2100 (2000)\n    (anonymous) 100 (100)\n  (idle) 30 (30)';

describe('readProfiles of a .cpuprofile', () => {
  it('charges a sample with the time before it, and leaves V8’s root out', () => {
    expect(read(profile)).toBe(drawing);
    const { type, startMs, durationMs, sampleCount } = readProfiles(bytesOf(profile)).profiles[0]!;
    expect([profileTypeId(type), startMs, durationMs, [...sampleCount]]).toEqual([
      'wall:wall:microseconds:wall:microseconds',
      0,
      4,
      [1, 1, 1],
    ]);
  });
  it('agrees with an independent recount of a real one', () => {
    const real = readProfiles(new Uint8Array(readFileSync(new URL('../../fixtures/cpuprofile/tsc.cpuprofile', import.meta.url))))
      .profiles[0]!;
    const self = new Map<string, number>();
    selfByStack(real).forEach((value, stack) => {
      const name = real.functions.name[real.stacks.functionRow[stack]!]!;
      self.set(name, (self.get(name) ?? 0) + value);
    });
    expect([self.get('(garbage collector)'), self.get('wrapSafe')]).toEqual([320_675, 102_516]);
    expect(real.functions.package).toContain('typescript');
  });
  it('makes files relative to the repository where it is known', () => {
    const { functions } = readProfiles(bytesOf(profile), { rootDir: '/srv/shop' }).profiles[0]!;
    expect([functions.package.join(), functions.file.join()]).toEqual(['native,,pg', ',src/main.js,x.js']);
  });
  it('reads nodes that name their parent, as in traces', () => {
    const byParent = [
      { id: 1, callFrame: frame('(root)') },
      { ...nodes[1], children: undefined, parent: 1 },
      { ...nodes[2], parent: 2 },
      { ...nodes[3], parent: 1 },
    ];
    expect(read({ ...profile, nodes: byParent })).toBe(drawing);
  });
  it('reads the older layout, in which nodes lie inside each other and times are given', () => {
    const older = (node: (typeof nodes)[number]): object => ({
      id: node.id,
      hitCount: 0,
      ...node.callFrame,
      children: (node.children ?? []).map((id) => older(nodes[id - 1]!)),
    });
    expect(
      read({
        head: older(nodes[0]!),
        startTime: 1,
        endTime: 1.005,
        samples: [3, 2, 4],
        timestamps: [1_000_100, 1_002_100, 1_002_130],
      }),
    ).toBe(drawing);
  });
  it('holds the clock where it went back', () => {
    expect(read({ ...profile, timeDeltas: [1_000, -500, 1_000] })).toBe(
      'total 1500\n  main 1000\n    (anonymous) 1000 (1000)\n  (idle) 500 (500)',
    );
  });
  it('gives a sample of V8’s root to our root', () => {
    expect(read({ ...profile, samples: [1, 2, 4] })).toBe('total 2130 (100)\n  main 2000 (2000)\n  (idle) 30 (30)');
  });
  it('walks nodes nested 19,999 deep, and refuses 20,001', () => {
    const chain = (depth: number): object => ({
      ...profile,
      nodes: Array.from({ length: depth }, (_, index) => ({
        id: index,
        callFrame: frame('f'),
        children: index === depth - 1 ? [] : [index + 1],
      })),
      samples: [0, 1, depth - 1],
    });
    expect(readProfiles(bytesOf(chain(19_999))).profiles[0]!.stacks.length).toBe(19_999);
    expect(() => readProfiles(bytesOf(chain(20_001)))).toThrowError(code('FORMAT_LIMIT'));
  });
  it.each([
    [
      'CPUPROFILE_TREE',
      'a circle of its own',
      { nodes: [...nodes, { id: 8, callFrame: frame('a'), children: [9] }, { id: 9, callFrame: frame('b'), children: [8] }] },
    ],
    ['CPUPROFILE_TREE', 'two parents', { nodes: [...nodes, { id: 8, callFrame: frame('a'), children: [2] }] }],
    ['CPUPROFILE_TREE', 'the same id twice', { nodes: [...nodes, nodes[3]] }],
    ['CPUPROFILE_TREE', 'a child that is not there', { nodes: [{ ...nodes[0], children: [7] }] }],
    ['CPUPROFILE_SHAPE', 'no node', { nodes: [] }],
    ['CPUPROFILE_SHAPE', 'a node without a call frame', { nodes: [{ id: 1 }] }],
    ['CPUPROFILE_SHAPE', 'an id that is a text', { nodes: [{ ...nodes[0], id: '1' }] }],
    ['CPUPROFILE_SAMPLES', 'a sample of no node', { samples: [3, 2, 9] }],
    ['CPUPROFILE_SAMPLES', 'a time too few', { timeDeltas: [1, 2] }],
    ['CPUPROFILE_SAMPLES', 'no samples', { samples: undefined }],
    ['CPUPROFILE_SAMPLES', 'a time that is no number', { timeDeltas: [1, 2, '3'] }],
    ['CPUPROFILE_SAMPLES', 'no end', { endTime: null }],
    ['FORMAT_VALUE', 'times beyond 2^53', { timeDeltas: [1e16, 1e16, 1e16] }],
  ])('refuses with %s: %s', (expected, _, broken) => {
    expect(() => read({ ...profile, ...broken })).toThrowError(code(expected));
  });
  it('refuses 1e400, which JSON takes for a number', () => {
    const text = JSON.stringify(profile).replace('2000', '1e400');
    expect(() => readProfiles(new TextEncoder().encode(text))).toThrowError(code('CPUPROFILE_SAMPLES'));
  });
});
