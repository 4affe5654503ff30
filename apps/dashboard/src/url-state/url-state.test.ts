import { describe, expect, it } from 'vitest';
import { functionHash, pathText, readPath } from './function-key.js';
import { matchText, readMatchText, type LabelFilter } from './label-filter.js';
import { EXPLORE_PARAMETERS, searchOf } from './page-search.js';
import { parseSearch, stringifySearch } from './search-codec.js';

const explore = searchOf(EXPLORE_PARAMETERS);
const throughUrl = (search: Record<string, unknown>) => explore.read(parseSearch(stringifySearch(search)) as never);

describe('the state of a page', () => {
  it('comes back from the URL as it went in', () => {
    const search = explore.read({
      service: '<shop> & "co"',
      revision: '1e5',
      transaction: 'GET /items/:id',
      search: '🙂 __proto__',
      labels: [
        ['plan', '=', 'a"b\\c'],
        ['pod', '=~', 'x.*'],
      ],
      view: 'graph',
      brush: '1-2',
    });
    expect(throughUrl(search)).toEqual(search);
  });
  it('keeps a revision that looks like a number as text', () => {
    expect(throughUrl({ revision: '0012345678' }).revision).toBe('0012345678');
    expect(throughUrl({ service: 'true' }).service).toBe('true');
  });
  it('falls back to the default where the URL makes no sense', () => {
    expect(explore.read(parseSearch('?view=upside-down&labels={"a":1}&from=' + 'x'.repeat(41)) as never)).toEqual(
      explore.missing,
    );
    expect(explore.read(parseSearch('?labels=[["plan","=","pro"],["x"],["y","<","z"]]') as never).labels).toEqual([
      ['plan', '=', 'pro'],
    ]);
  });
  it('is not confused by names of the language', () => {
    const raw = parseSearch('?__proto__=1&constructor=2&toString=3') as never;
    expect(explore.read(raw)).toEqual(explore.missing);
  });
  it('says its version', () => {
    expect(stringifySearch({ service: 'shop' })).toBe('?v=1&service=shop');
    expect(stringifySearch({})).toBe('');
  });
});

describe('matchText', () => {
  it('quotes values for the API', () => {
    expect(matchText([['plan', '=', 'a"b\\c']])).toBe('{plan="a\\"b\\\\c"}');
    expect(matchText([])).toBeUndefined();
  });
  it('can be read again', () => {
    const filters: LabelFilter[] = [
      ['plan', '=', 'a"b\\c,{}'],
      ['pod', '=~', 'x.*\n'],
      ['__proto__', '!=', ''],
    ];
    expect(readMatchText(matchText(filters))).toEqual(filters);
  });
});

describe('functionHash', () => {
  it('tells name, package and file apart', () => {
    const hashes = [
      { name: 'ab', package: '', file: '' },
      { name: 'a', package: 'b', file: '' },
      { name: 'a', package: '', file: 'b' },
    ].map(functionHash);
    expect(new Set(hashes).size).toBe(3);
  });
  it('makes paths that can be read back', () => {
    const path = ['a', 'b', 'c'].map((name) => functionHash({ name, package: '', file: '' }));
    expect(readPath(pathText(path))).toEqual(path);
    expect(readPath('')).toEqual([]);
    expect(readPath('<script>.ok')).toEqual(['ok']);
  });
});
