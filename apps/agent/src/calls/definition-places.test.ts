import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { definitionPlaces } from './definition-places.js';

/** Each as V8's coverage gives it, `‸` where V8's profilers say that it is defined (Node 20 to 26). */
const FUNCTIONS: [name: string, text: string, counts: string][] = [
  ['decl', 'function  decl ‸(x){ return 1 }', 'calls'],
  ['anon', 'function ‸(x) { return 1 }', 'calls'],
  ['arrow', '‸(x) => 1', 'calls'],
  ['arrow', '‸x => 1', 'calls'],
  ['arrow', '‸({ a = (1) }) => ({ a })', 'calls'],
  ['later', '‸async (x) => 1', 'entries'],
  ['later', '‸async x => 1', 'entries'],
  ['K', 'constructor‸(){ }', 'calls'],
  ['method', 'method‸(x){ return 3 }', 'calls'],
  ['get g', 'get g‸(){ return 2 }', 'calls'],
  ['#p', '#p‸(){return 5}', 'calls'],
  ['later', 'async later‸(){ return 1 }', 'entries'],
  ['later', 'async function later‸(x){ return x; }', 'entries'],
  ['gen', '*gen‸(){ yield 1 }', 'entries'],
  ['gen', 'function* gen‸(){ yield 1 }', 'entries'],
  ['gen', 'async *gen‸(){ yield 1 }', 'entries'],
  ['<instance_members_initializer>', '‸class K { field = 1 }', 'calls'],
];

it('definitionPlaces tells where profilers see each kind of function, and whether resumptions count', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hearth-places-'));
  try {
    const file = path.join(folder, 'code ä.js');
    const lines = FUNCTIONS.map(([, text]) => `  ${text.replace('‸', '')}`);
    await writeFile(file, lines.join('\n'));
    const url = pathToFileURL(file).href;
    let offset = 0;
    const functions = FUNCTIONS.map(([name], at) => {
      const startOffset = offset + 2;
      const endOffset = offset + lines[at]!.length;
      offset = endOffset + 1;
      return { name, url, startOffset, endOffset, count: 1 };
    });
    expect(await definitionPlaces(functions)).toEqual(
      FUNCTIONS.map(([, text, counts], at) => ({ line: at + 1, column: text.indexOf('‸') + 3, counts })),
    );
    // Other text than V8 has, and none.
    const moved = functions.map((one) => ({ ...one, startOffset: one.startOffset + 5, endOffset: one.endOffset + 5 }));
    expect((await definitionPlaces(moved.slice(7, 11))).map(({ line }) => line)).toEqual([0, 0, 0, 0]);
    const elsewhere = [`${url}x`, 'node:fs', '', 'file://%'].map((other) => ({ ...functions[0]!, url: other }));
    expect((await definitionPlaces(elsewhere)).map(({ counts }) => counts)).toEqual(Array(4).fill('unknown'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
