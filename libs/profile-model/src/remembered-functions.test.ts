import { describe, expect, it } from 'vitest';
import { RememberedFunctions } from './remembered-functions.js';

describe('RememberedFunctions', () => {
  it('makes each function once, and those of each root apart', () => {
    const made: string[] = [];
    const functions = new RememberedFunctions((name, scriptName, rootDir) => {
      made.push(`${rootDir} ${scriptName} ${name}`);
      return { name, package: rootDir, file: scriptName };
    });
    const first = functions.of('/a')('price', 'cart.js');
    expect(functions.of('/a')('price', 'cart.js')).toBe(first);
    expect(functions.of('/b')('price', 'cart.js').package).toBe('/b');
    functions.of('/a')('cart.js', 'price');
    expect(made).toEqual(['/a cart.js price', '/b cart.js price', '/a price cart.js']);
  });

  it('forgets them when there are too many, never within one file', () => {
    const functions = new RememberedFunctions((name, scriptName) => ({ name, package: '', file: scriptName }));
    const ofFile = functions.of('');
    const early = ofFile('early', '');
    for (let number = 0; number < 100_001; number += 1) ofFile(`f${number}`, '');
    expect(ofFile('x'.repeat(1_001), '')).not.toBe(ofFile('x'.repeat(1_001), '')); // too long to keep
    expect(ofFile('early', '')).toBe(early);
    expect(functions.of('')('early', '')).not.toBe(early);
  });

  it('counts the roots too: made up ones without a function do not stay, and those that are too long are never kept', () => {
    const functions = new RememberedFunctions((name, scriptName) => ({ name, package: '', file: scriptName }));
    const early = functions.of('')('early', '');
    for (let number = 0; number < 20_000; number += 1) functions.of(`${number}`.padEnd(1_001, 'x'));
    const ofLong = functions.of('x'.repeat(1_001));
    expect(ofLong('f', '')).not.toBe(ofLong('f', ''));
    expect(functions.of('')('early', '')).toBe(early);
    for (let number = 0; number < 80_001; number += 1) functions.of(`/r${number}`);
    expect(functions.of('')('early', '')).not.toBe(early);
  });
});
