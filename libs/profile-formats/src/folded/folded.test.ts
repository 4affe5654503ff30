import { callTree, selfByStack, selfWithoutStack } from '@hearth/profile-model';
import { callTreeToText, profileFromText } from '@hearth/profile-model/testing';
import { describe, expect, it } from 'vitest';
import { readProfiles } from '../read-profiles.js';
import { profileToFolded } from './write-folded.js';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const read = (text: string): string => {
  const profile = readProfiles(new TextEncoder().encode(text)).profiles[0]!;
  return callTreeToText(callTree(profile.stacks, selfByStack(profile), selfWithoutStack(profile)), profile.functions);
};

describe('readProfiles of folded stacks', () => {
  it('takes the number behind the last space for the count', () => {
    expect(read('main;operator new(unsigned long) [libc.so];f (a b) 12\n')).toBe(
      'total 12\n  main 12\n    operator new(unsigned long) [libc.so] 12\n      f (a b) 12 (12)',
    );
  });
  it('adds stacks up that repeat, and skips comments and empty lines', () => {
    expect(read('# by perf\n\na;b 1\n// more\na;b 2')).toBe('total 3\n  a 3\n    b 3 (3)');
  });
  it('reads a byte order mark, CRLF and tabs', () => {
    expect(read('\uFEFFa;b 1\r\na\t2  \r\n')).toBe('total 3\n  a 3 (2)\n    b 1 (1)');
  });
  it('reads UTF-16', () => {
    const text = 'a;b 1\n';
    const littleEndian = Uint8Array.of(0xff, 0xfe, ...text.split('').flatMap((character) => [character.charCodeAt(0), 0]));
    expect([...readProfiles(littleEndian).profiles[0]!.sampleValue]).toEqual([1]);
  });
  it('leaves empty frames out, and gives a stack without any to the root', () => {
    expect(read(';;a;;b; 3\n 4\n;; 5\n')).toBe('total 12 (9)\n  a 3\n    b 3 (3)');
  });
  it('reads a stack that begins like a list', () =>
    expect(read('[unknown];main 3')).toBe('total 3\n  [unknown] 3\n    main 3 (3)'));
  it.each([
    ['FOLDED_COUNT', 'main;foo\nmain;bar 5'],
    ['FOLDED_COUNT', 'a 1.5'],
    ['FOLDED_COUNT', 'a -1'],
    ['FOLDED_COUNT', 'a 9007199254740992'],
    ['FOLDED_COUNT', '5'],
    ['FOLDED_TWO_COUNTS', 'a;b 1 2\na 3 4'],
    ['FORMAT_EMPTY', '# nothing'],
  ])('refuses with %s: %j', (expected, text) => expect(() => read(text)).toThrowError(code(expected)));
  it('takes a frame that ends in a number for one if another line has none', () =>
    expect(read('a 1 2\nb 3')).toBe('total 5\n  b 3 (3)\n  a 1 2 (2)'));
  it('takes time linear in a line of spaces', () => {
    expect(() => read(`a${' '.repeat(2_000_000)}b`)).toThrowError(code('FOLDED_COUNT'));
  });
});

describe('profileToFolded', () => {
  it('writes file and package behind the name', () => {
    const profile = profileFromText(`
      10             5               3
      {plan=free}    {plan=pro}      {}
      main@src/a.ts  main@src/a.ts
      read@pg:io.js  read@pg:io.js
    `);
    expect(profileToFolded(profile)).toBe(' 3\nmain (src/a.ts);read (node_modules/pg/io.js) 15\n');
  });
  it('writes no frame that would be read as something else', () => {
    const profile = profileFromText(`
      10     5     0
      #priv  a;b   c
    `);
    expect(profileToFolded(profile)).toBe(';#priv 10\na:b 5\n');
    expect(read(profileToFolded(profile))).toBe('total 15\n  #priv 10 (10)\n  a:b 5 (5)');
  });
});
