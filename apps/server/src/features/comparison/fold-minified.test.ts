import { describe, expect, it } from 'vitest';
import { foldMinified, MINIFIED_FUNCTION } from './fold-minified.js';

const functions = {
  length: 4,
  name: ['a', 'b', 'a', 'a'],
  package: ['', '', 'lib', ''],
  file: ['dist/app.js', 'dist/app.js', 'dist/app.js', 'src/app.js'],
};

describe('foldMinified', () => {
  it('makes one function of each minified file of the program', () => {
    expect(foldMinified(functions, new Set(['dist/app.js'])).name).toEqual([MINIFIED_FUNCTION, MINIFIED_FUNCTION, 'a', 'a']);
  });
  it('leaves the rest as it is', () => {
    expect(foldMinified(functions, new Set())).toBe(functions);
  });
});
