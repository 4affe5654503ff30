import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NO_PARENT, type FunctionKey } from '@hearth/profile-model';
import { ABSENT, FunctionIndex } from './function-index.js';
import { StackDictionary, type StackPage } from './stack-dictionary.js';
import { decodeStackPage, encodeStackPage } from './stack-page.js';
import { StackOverlay } from './stack-overlay.js';

const named = (name: string): FunctionKey => ({ name, package: '', file: 'src/a.ts' });
/** main calls read and parse. */
const PAGE: StackPage = {
  firstFunction: 0,
  firstStack: 0,
  functions: [named('main'), named('read'), named('parse')],
  parent: [NO_PARENT, 0, 0],
  functionRow: [0, 1, 2],
};

const plain = (pages: readonly StackPage[]) =>
  pages.map((page) => ({ ...page, parent: Array.from(page.parent), functionRow: Array.from(page.functionRow) }));

describe('FunctionIndex', () => {
  it('keeps the parts of a function apart', () => {
    const index = new FunctionIndex();
    const keys = [
      ['a', 'b', 'c'],
      ['ab', '', 'c'],
      ['', 'ab', 'c'],
      ['a', 'bc', ''],
      ['c', 'b', 'a'],
      ['__proto__', '', 'c'],
    ].map(([packageName, file, name]) => ({ package: packageName!, file: file!, name: name! }));
    keys.forEach((key, row) => {
      index.set(key, row);
    });
    expect(keys.map((key) => index.row(key))).toEqual([...keys.keys()]);
    expect(index.row({ package: 'a', file: 'b', name: 'd' })).toBe(ABSENT);
  });
});

describe('encodeStackPage', () => {
  it('writes no page that decodeStackPage would refuse to inflate', () => {
    const bytes = encodeStackPage(PAGE);
    const inflated = inflateRawSync(bytes.subarray(1)).length;
    expect(decodeStackPage(encodeStackPage(PAGE, inflated)).functions).toEqual(PAGE.functions);
    expect(() => encodeStackPage(PAGE, inflated - 1)).toThrowError(expect.objectContaining({ code: 'STACK_DICTIONARY_FULL' }));
  });
});

describe('StackDictionary', () => {
  it('finds what a page brought, and nothing else', () => {
    const dictionary = new StackDictionary();
    dictionary.append(PAGE);
    expect([dictionary.version, dictionary.functionCount, dictionary.stackCount]).toEqual([1, 3, 3]);
    expect([dictionary.stackRow(NO_PARENT, 0), dictionary.stackRow(0, 2), dictionary.stackRow(1, 2)]).toEqual([0, 2, ABSENT]);
    expect([dictionary.functionRow(named('parse')), dictionary.functionRow(named('gc'))]).toEqual([2, ABSENT]);
  });

  it('takes a damaged page or none of it', () => {
    const dictionary = new StackDictionary();
    dictionary.append(PAGE);
    const next = { firstFunction: 3, firstStack: 3, functions: [named('gc')], parent: [2], functionRow: [3] };
    for (const [page, code] of [
      [{ ...next, firstStack: 2 }, 'STACK_PAGE_ORDER'],
      [{ ...next, functions: [named('read')] }, 'STACK_PAGE_ORDER'],
      [{ ...next, parent: [0], functionRow: [1] }, 'STACK_PAGE_ORDER'],
      [{ ...next, parent: [2, 2], functionRow: [3, 3] }, 'STACK_PAGE_ORDER'],
      [{ ...next, parent: [3] }, 'STACK_PAGE_DAMAGED'],
      [{ ...next, functionRow: [4] }, 'STACK_PAGE_DAMAGED'],
      [{ ...next, parent: [Number.NaN] }, 'STACK_PAGE_DAMAGED'],
    ] as const) {
      expect(() => {
        dictionary.append(page);
      }).toThrow(expect.objectContaining({ code }));
      expect([dictionary.version, dictionary.functionCount, dictionary.stackCount]).toEqual([1, 3, 3]);
    }
    dictionary.append(next);
    expect(dictionary.stackRow(2, 3)).toBe(3);
  });

  it('grows, and leaves tables given out before as they were', () => {
    const dictionary = new StackDictionary();
    dictionary.append(PAGE);
    const before = dictionary.tables();
    const count = 100_000;
    dictionary.append({
      firstFunction: 3,
      firstStack: 3,
      functions: [],
      parent: Array.from({ length: count }, (_, n) => n + 2),
      functionRow: Array.from({ length: count }, () => 1),
    });
    expect([before.stacks.length, before.functions.length, before.stacks.parent[2]]).toEqual([3, 3, 0]);
    for (const row of [0, 1, 50_000, count - 1]) expect(dictionary.stackRow(row + 2, 1)).toBe(row + 3);
    expect(dictionary.tables().stacks.length).toBe(count + 3);
  });
});

describe('StackOverlay', () => {
  it('moves to the rows that others were given meanwhile', async () => {
    const dictionary = new StackDictionary();
    dictionary.append(PAGE);
    const overlay = new StackOverlay(dictionary);
    // main>parse>gc and main>parse>gc>mark, and an unused function
    const local = {
      length: 4,
      name: ['main', 'parse', 'gc', 'mark'],
      package: ['', '', '', ''],
      file: ['src/a.ts', 'src/a.ts', 'src/a.ts', 'src/a.ts'],
    };
    const ids = await overlay.addAll(local, {
      length: 4,
      parent: Int32Array.of(-1, 0, 1, 2),
      functionRow: Uint32Array.of(0, 1, 2, 3),
    });
    expect([...ids]).toEqual([0, 2, 3, 4]);
    // Another writer was faster: it has gc under read, and main>parse>gc.
    dictionary.append({ firstFunction: 3, firstStack: 3, functions: [named('gc')], parent: [1, 2], functionRow: [3, 3] });
    const { overlay: rebased, rowOf } = overlay.rebase();
    expect([...ids].map(rowOf)).toEqual([0, 2, 4, 5]);
    expect(plain(rebased.pages())).toEqual([
      { firstFunction: 4, firstStack: 5, functions: [named('mark')], parent: [4], functionRow: [4] },
    ]);
  });

  it.each([
    [3, [7, 1, 4096, 896]],
    [9, [7, 1, 1821, 1820, 1351]],
  ])('splits what is new into pages that continue each other (%i stacks a function)', async (depth, functionsOfPages) => {
    const roots = 5000;
    const length = roots * depth;
    // Each root calls itself ever deeper, under a name of its own.
    const stacks = {
      length,
      parent: Int32Array.from({ length }, (_, row) => (row % depth === 0 ? -1 : row - 1)),
      functionRow: Uint32Array.from({ length }, (_, row) => Math.floor(row / depth)),
    };
    const names = Array.from({ length: roots }, (_, row) => (row === 7 ? 'x'.repeat(2 ** 21) : `f${row}`));
    const functions = { length: roots, name: names, package: names.map(() => ''), file: names.map(() => 'src/a.ts') };
    const overlay = new StackOverlay(new StackDictionary());
    const ids = await overlay.addAll(functions, stacks);
    const pages = overlay.pages();
    expect(pages.map((page) => page.functions.length)).toEqual(functionsOfPages);
    const dictionary = new StackDictionary(1);
    for (const page of pages) {
      expect(page.parent.length).toBeLessThanOrEqual(2 ** 14);
      dictionary.append(decodeStackPage(encodeStackPage(page)));
    }
    expect(dictionary.head).toEqual({ generation: 1, version: pages.length });
    expect(await dictionary.rowsOf(functions, stacks)).toEqual(ids);
  });
});

describe('encodeStackPage', () => {
  it('reads back what was written', () => {
    const page = {
      ...PAGE,
      functions: [...PAGE.functions, { name: '\0\u{D800}', package: '@a/b', file: '"\\' }],
      firstFunction: 7,
      firstStack: 9,
    };
    const read = decodeStackPage(encodeStackPage(page));
    expect(plain([read])).toEqual([page]);
  });

  it('answers damage with a code', () => {
    const bytes = encodeStackPage(PAGE);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeStackPage(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: length === 0 ? 'STACK_PAGE_CODEC' : 'STACK_PAGE_DAMAGED' }),
      );
    }
  });
});
