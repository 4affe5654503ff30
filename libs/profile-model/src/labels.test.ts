import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesLabels, parseLabelMatchers } from './label-matcher.js';
import { labelSet, labelSetKey, labelValue } from './label-set.js';
import { storableText } from './storable-text.js';

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'none';
}

describe('labelSet', () => {
  it('sorts by name, and of two equal names the last wins', () => {
    expect(
      labelSet([
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
      ]),
    ).toEqual([
      ['a', '2'],
      ['b', '3'],
    ]);
    expect(labelSet({ b: '1', __proto__x: '2' })).toEqual([
      ['__proto__x', '2'],
      ['b', '1'],
    ]);
    expect(labelSet({})).toEqual([]);
  });
  it('has a key that no other set has', () => {
    const sets = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })), { maxLength: 3 }).map(labelSet);
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(labelSetKey(a) === labelSetKey(b)).toBe(isDeepStrictEqual(a, b));
      }),
    );
    expect(labelSetKey([['a', 'b"],["c']])).not.toBe(
      labelSetKey([
        ['a', 'b'],
        ['c', ''],
      ]),
    );
  });
  it('has undefined for a label that is not there', () => {
    expect(labelValue([['a', '']], 'a')).toBe('');
    expect(labelValue([['a', '']], 'b')).toBeUndefined();
  });
});

describe('parseLabelMatchers', () => {
  it('reads all operators, quoted names, raw values and a last comma', () => {
    expect(parseLabelMatchers('{ plan="pro", pod=~`a\\d+` ,route!="GET \\"/\\"", "my label"!~"x|y", }')).toEqual([
      { name: 'plan', operator: '=', value: 'pro' },
      { name: 'pod', operator: '=~', value: 'a\\d+' },
      { name: 'route', operator: '!=', value: 'GET "/"' },
      { name: 'my label', operator: '!~', value: 'x|y' },
    ]);
  });
  it.each(['', ' ', '{}', '{ }'])('reads %j as no condition', (text) => expect(parseLabelMatchers(text)).toEqual([]));
  it.each([
    '{a}',
    '{a=}',
    '{a=b}',
    '{a="b"',
    'a="b"}',
    '{a="b" c="d"}',
    '{="b"}',
    '{a=~"("}',
    '{a=~"(?=b)"}',
    '{a="\\d"}',
    '{a=="b"}',
    ',',
    '{a="b",,}',
    '{""="b"}',
  ])('refuses %s', (text) =>
    expect(() => parseLabelMatchers(text)).toThrowError(expect.objectContaining({ code: 'LABEL_MATCHER' })),
  );
  it('gives a coded error or matchers for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '"', '`', '\\', '=', '~', '!', ',', 'a', ' ', '(', '\n') }),
        (text) => {
          expect(codeOf(() => parseLabelMatchers(text))).toMatch(/^(none|LABEL_MATCHER)$/);
        },
      ),
    );
  });
});

describe('matchesLabels', () => {
  const labels = labelSet({ plan: 'pro', transaction: 'GET /users\n' });
  it.each([
    ['{plan="pro"}', true],
    ['{plan="pr"}', false],
    ['{plan=~"pr"}', false],
    ['{plan=~"pr."}', true],
    ['{plan=~"free|pro"}', true],
    ['{plan!~"free|pro"}', false],
    ['{transaction=~"GET .*"}', true],
    ['{plan="pro",other="x"}', false],
    ['{other=""}', true],
    ['{other!=""}', false],
    ['{other=~"x?"}', true],
    ['{other!~".+"}', true],
    ['{}', true],
  ])('%s is %s', (text, expected) => expect(matchesLabels(labels, parseLabelMatchers(text))).toBe(expected));
  it('takes time linear in the value, whatever the pattern', () => {
    const matchers = parseLabelMatchers('{a=~"(x+x+)+y"}');
    expect(matchesLabels([['a', 'x'.repeat(20_000)]], matchers)).toBe(false);
  });
});

describe('storableText', () => {
  it('shows NUL and lone surrogates by characters that can be stored', () => {
    expect(storableText('a\0b')).toBe('a\u2400b');
    expect(storableText('\uD83D!\uDE00')).toBe('\uFFFD!\uFFFD');
  });
  it('leaves all other text alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(storableText(text)).toBe(text.replaceAll('\0', '\u2400'));
      }),
    );
  });
});
