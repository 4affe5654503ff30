import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MapFilter } from './map-filter.js';

/** What is sent of a text that is read in pieces of `pieceBytes`. */
function filtered(
  text: string | Buffer,
  { sources = 'left-out', pieceBytes = 1_000 }: { sources?: 'sent' | 'left-out'; pieceBytes?: number } = {},
): string {
  const filter = new MapFilter(sources);
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) parts.push(...filter.push(bytes.subarray(at, at + pieceBytes)));
  filter.end();
  return Buffer.concat(parts).toString();
}

const KEPT = ['version', 'sourceRoot', 'sources', 'names', 'mappings', 'sections', 'offset', 'line', 'column', 'map'];
function withNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNull);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, KEPT.includes(key) ? withNull(one) : null]));
}

describe('MapFilter', () => {
  it.each([
    ['the code of sources', '{"version":3,"sources":["a.ts"],"sourcesContent":["secret"],"names":[],"mappings":"AA;"}', '{"version":3,"sources":["a.ts"],"sourcesContent":null,"names":[],"mappings":"AA;"}'],
    ['what it does not know', '{"debugId":"1", "x_y" : [{"names":["z"]}, 2] ,"names":[]}', '{"debugId":null, "x_y" : null ,"names":[]}'],
    ['code within sections', '{"sections":[{"offset":{"line":0,"column":0},"map":{"sourcesContent":[null,"x"],"names":[]}}]}', '{"sections":[{"offset":{"line":0,"column":0},"map":{"sourcesContent":null,"names":[]}}]}'],
    ['a name that is spelled in another way', '{"sources\\u0043ontent":["secret"]}', '{"sources\\u0043ontent":null}'],
    ['objects within known members', '{"names":[{"code":"secret"}]}', '{"names":[{"code":null}]}'],
    ['a line in front that keeps scripts from loading it', ')]}\'\n{"names":[]}', '{"names":[]}'],
    ['a byte order mark', '\uFEFF{"names":[]}', '{"names":[]}'],
  ])('leaves out %s', (_, text, expected) => {
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes += 1) expect(filtered(text, { pieceBytes })).toBe(expected);
  }); // prettier-ignore

  it('keeps the code of sources where it may, and nothing else more', () => {
    expect(filtered('{"sourcesContent":["a \\" b\\\\"],"other":1}', { sources: 'sent' })).toBe(
      '{"sourcesContent":["a \\" b\\\\"],"other":null}',
    );
  });

  it('gives what a parser would, of any JSON in any pieces', () => {
    const key = fc.oneof(fc.constantFrom(...KEPT, 'sourcesContent'), fc.string({ maxLength: 5 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', 'é', '\u2028', 'a') }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(true, false, null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 5 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), (map, pieceBytes, isWide) => {
        const text = JSON.stringify(map, undefined, isWide ? 2 : 0);
        expect(JSON.parse(filtered(text, { pieceBytes }))).toEqual(withNull(JSON.parse(text)));
      }),
      { numRuns: 500 },
    ); // prettier-ignore
  });

  it.each([
    ['nothing', ''],
    ['a text', '"names"'],
    ['a list', '[]'],
    ['a page', '<html>'],
    ['half of it', '{"names":["a"'],
    ['two of them', '{"names":[]}{}'],
    ['something behind it', '{"names":[]},'],
    ['a file of settings', '{password: "x"}'],
    ['a word', '{"names":secret}'],
    ['words', '{"names" "secret"}'],
    ['a comma at the end', '{"names":[1,]}'],
    ['brackets that do not fit', '{"names":[}'],
    ['a key of many bytes', `{"${'k'.repeat(201)}":1}`],
    ['a long guard', `)${'x'.repeat(100)}\n{}`],
    ['many brackets', `{"names":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('refuses %s', (_, text) => {
    expect(() => filtered(text)).toThrow('it is no JSON of a source map');
  });
});
