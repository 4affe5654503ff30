import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { functionTotals } from './function-totals.js';
import { lineCosts, type LineCosts } from './line-costs.js';
import type { Profile } from './profile.js';
import { selfByStack, selfWithoutStack } from './self-by-stack.js';
import { profileFromText, randomProfile } from './testing/index.js';

/** A frame `name#line` is a function that runs on that line. */
function withLines(profile: Profile): { profile: Profile; line: Uint32Array } {
  const parts = profile.functions.name.map((name) => name.split('#'));
  const functions = { ...profile.functions, name: parts.map(([name]) => name!) };
  return { profile: { ...profile, functions }, line: Uint32Array.from(parts, ([, line]) => Number(line ?? 0)) };
}

function rowsOf({ files, fileRow, line, self, total, samples }: LineCosts): string[] {
  return Array.from(line, (number, row) => {
    const file = files.file[fileRow[row]!]!;
    return `${file}:${number} self ${self[row]} total ${total[row]} samples ${samples[row]}`;
  }).sort();
}

describe('lineCosts', () => {
  it('tells what ran on a line from what it called', () => {
    const { profile, line } = withLines(
      profileFromText(`
        10x2           5              3
        main#7@a.ts    main#7@a.ts    main#9@a.ts
        parse#3@b.ts   parse#4@b.ts
      `),
    );
    expect(rowsOf(lineCosts(profile, line))).toEqual([
      'a.ts:7 self 0 total 15 samples 3',
      'a.ts:9 self 3 total 3 samples 1',
      'b.ts:3 self 10 total 10 samples 2',
      'b.ts:4 self 5 total 5 samples 1',
    ]);
  });

  it('counts a sample once for a line that recurs in its stack, in whichever functions', () => {
    const { profile, line } = withLines(
      profileFromText(`
        10            4              2
        walk#5@a.ts   walk#5@a.ts    walk#5@a.ts
        walk#5@a.ts   visit#2@a.ts   arrow#5@a.ts
        walk#6@a.ts   walk#5@a.ts
      `),
    );
    expect(rowsOf(lineCosts(profile, line))).toEqual([
      'a.ts:2 self 0 total 4 samples 1',
      'a.ts:5 self 6 total 16 samples 3',
      'a.ts:6 self 10 total 10 samples 1',
    ]);
  });

  it('tells files of one name in two packages apart', () => {
    const { profile, line } = withLines(
      profileFromText(`
        1              2
        f#1@p:x.js     f#1@q:x.js
      `),
    );
    const { files, fileRow, self } = lineCosts(profile, line);
    expect([...fileRow].map((row, at) => [files.package[row], self[at]])).toEqual([['p', 1], ['q', 2]]); // prettier-ignore
  });

  it('leaves out samples without frames and lines without a sample', () => {
    const { profile, line } = withLines(
      profileFromText(`
        10   0x3     0x0
             main#1  main#2
      `),
    );
    expect(rowsOf(lineCosts(profile, line))).toEqual([':1 self 0 total 0 samples 3']);
  });

  it('gives a function that has its file to itself the self and the total it has without lines, and keeps the sum', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomProfile(seed);
        const file = random.functions.name.map((_, row) => `${row}.ts`);
        const profile = { ...random, functions: { ...random.functions, file } };
        const costs = lineCosts(
          profile,
          Uint32Array.from(file, () => 1),
        );
        const totals = functionTotals(profile.stacks, selfByStack(profile), profile.functions.length);
        costs.fileRow.forEach((fileRow, row) => {
          const functionRow = parseInt(costs.files.file[fileRow]!, 10);
          expect([costs.self[row], costs.total[row]]).toEqual([totals.self[functionRow], totals.total[functionRow]]);
        });
        const sum = profile.sampleValue.reduce((all, value) => all + value, 0);
        expect(costs.self.reduce((all, value) => all + value, 0)).toBe(sum - selfWithoutStack(profile));
      }),
    );
  });
});
