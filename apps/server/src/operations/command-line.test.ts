import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from './command-line.js';

describe('parseCommandLine', () => {
  it.each([
    ['', { name: 'serve' }],
    ['backup FILE', { name: 'backup', place: 'FILE' }],
    ['backup -', { name: 'backup', place: '-' }],
    ['restore FILE', { name: 'restore', place: 'FILE', replace: false }],
    ['restore --replace FILE', { name: 'restore', place: 'FILE', replace: true }],
    ['restore FILE --replace', { name: 'restore', place: 'FILE', replace: true }],
    ['--version', { name: 'version' }],
    ['restore --help', { name: 'help' }],
  ])('takes "%s"', (line, asked) => {
    expect(parseCommandLine(line.split(' ').filter((word) => word !== ''))).toEqual(asked);
  });

  it.each([
    ['bakup FILE', 'there is no command "bakup"'],
    ['backup', 'backup needs a FILE, or - for standard output'],
    ['restore', 'restore needs a FILE, or - for standard input'],
    ['backup ONE TWO', 'backup takes one FILE'],
    ['backup FILE --replace', '--replace belongs to restore'],
    ['--replace', '--replace belongs to restore'],
  ])('refuses "%s" in one line', (line, message) => {
    expect(() => parseCommandLine(line.split(' '))).toThrow(new UsageError(message));
  });

  it('refuses an option that it does not know in one line', () => {
    expect(() => parseCommandLine(['backup', 'FILE', '--fast'])).toThrow(/^Unknown option '--fast'[^\n]*$/);
  });
});
