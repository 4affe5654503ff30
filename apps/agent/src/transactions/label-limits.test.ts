import { describe, expect, it } from 'vitest';
import { MAX_LABELS, MAX_VALUE_LENGTH, cleanLabels, cleanName, readLabels, type Labels } from './label-limits.js';

describe('cleanLabels', () => {
  it('keeps texts, numbers and booleans, and leaves out the rest', () => {
    // What a program without types may pass.
    const labels: Record<string, unknown> = {
      a: 'x',
      b: 1,
      c: true,
      d: 10n,
      e: null,
      f: undefined,
      g: {},
      h: [],
      i: () => 1,
      j: Number.NaN,
    };
    expect(cleanLabels(labels as Labels)).toEqual([
      ['a', 'x'],
      ['b', '1'],
      ['c', 'true'],
      ['d', '10'],
      ['j', 'NaN'],
    ]);
  });

  it('keeps the 32nd and leaves out the 33rd', () => {
    const many = Object.fromEntries(Array.from({ length: MAX_LABELS + 1 }, (_, at) => [`k${at}`, at]));
    expect(cleanLabels(many)).toHaveLength(MAX_LABELS);
    expect(cleanLabels(many).at(-1)).toEqual(['k31', '31']);
  });

  it('cuts a value above 200 characters, never through a pair of surrogates', () => {
    const exact = 'x'.repeat(MAX_VALUE_LENGTH);
    expect(cleanLabels({ exact })[0]![1]).toBe(exact);
    expect(cleanLabels({ long: `${exact}y` })[0]![1]).toBe(`${'x'.repeat(MAX_VALUE_LENGTH - 1)}…`);
    const cut = cleanLabels({ cut: `${'x'.repeat(MAX_VALUE_LENGTH - 2)}😀😀` })[0]![1];
    expect(cut).not.toMatch(/\p{Surrogate}/u);
  });

  it('takes a label named __proto__ as any other', () => {
    expect(cleanLabels(JSON.parse('{"__proto__": "x"}') as Labels)).toEqual([['__proto__', 'x']]);
    expect(cleanLabels(undefined)).toEqual([]);
    expect(cleanLabels(JSON.parse('"text"'))).toEqual([]);
  });

  it('leaves out what throws, and tells of it', () => {
    const faults: unknown[] = [];
    const labels = {
      plan: 'pro',
      get bad(): string {
        // oxlint-disable-next-line typescript/only-throw-error -- hosts throw anything, and none of it may take the other labels along
        throw 'of a getter';
      },
      region: 'eu',
    };
    const { proxy, revoke } = Proxy.revocable<Labels>({}, {});
    revoke();
    const clean = [labels, proxy].map((given) => cleanLabels(given, undefined, (fault) => faults.push(fault)));
    expect(clean).toEqual([
      [
        ['plan', 'pro'],
        ['region', 'eu'],
      ],
      [],
    ]);
    expect(faults).toEqual(['of a getter', expect.any(TypeError)]);
    expect(() => cleanLabels(labels)).toThrow('of a getter');
  });
});

describe('readLabels', () => {
  const names = (labels: Labels): string[] => Object.keys(labels);

  it('leaves out what throws, tells of it, and reads each label once', () => {
    const faults: unknown[] = [];
    let reads = 0;
    const labels = {
      get counted(): number {
        return (reads += 1);
      },
      get bad(): string {
        throw new Error('of a getter');
      },
      plan: 'pro',
    };
    const read = readLabels(labels, { plan: 'free', region: 'eu' }, (fault) => faults.push(fault));
    expect(read).toEqual({ plan: 'pro', region: 'eu', counted: 1 });
    expect(faults).toEqual([new Error('of a getter')]);
    expect(reads).toBe(1);
  });

  it('keeps 32 in all: those around first, and theirs may be replaced', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, at]));
    expect(names(readLabels(many, undefined, () => {}))).toEqual(names(many).slice(0, MAX_LABELS));
    const read = readLabels({ ...many, region: 'us' }, { region: 'eu' }, () => {});
    expect(names(read)).toEqual(['region', ...names(many).slice(0, MAX_LABELS - 1)]);
    expect(read.region).toBe('us');
  });
});

it('cleanName gives every name a text', () => {
  expect([cleanName('a'), cleanName(7), cleanName(''), cleanName(undefined), cleanName({}), cleanName('a\0\ud800')]).toEqual([
    'a',
    '7',
    '(unnamed)',
    '(unnamed)',
    '(unnamed)',
    'a␀�',
  ]);
});
