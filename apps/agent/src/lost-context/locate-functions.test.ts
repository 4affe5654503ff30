import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { positionOf } from './handler-ranges.js';
import { locateFunctions, type AnyFunction } from './locate-functions.js';

/** The functions that a script gives, and its text; `‸` where V8's profilers say that each is defined, `⌃` behind its last character. */
function located(drawing: string) {
  const text = drawing.replace(/[‸⌃]/g, '');
  const found = runInThisContext(text) as AnyFunction[];
  const marks: number[] = [];
  let [line, column] = [1, 1];
  for (const character of drawing) {
    if (character === '‸' || character === '⌃') marks.push(positionOf(line, column)!);
    else if (character === '\n') [line, column] = [line + 1, 1];
    else column += 1;
  }
  const drawn = Array.from({ length: marks.length / 2 }, (_, at) => ({ start: marks[2 * at], end: marks[2 * at + 1] }));
  const places = locateFunctions(found)!.map((place) => place && { start: place.start, end: place.end });
  return { places, drawn };
}

describe('locateFunctions', () => {
  it.each([
    [
      'functions of all kinds in one line, as a bundle has them',
      '[‸(x)=>1⌃,‸async x=>{}⌃,function‸(){}⌃,async function named‸(a,b){}⌃,{method‸(){}⌃}.method,{classify‸(){}⌃}.classify,{*g‸(x){}⌃}.g]',
    ],
    [
      'functions of many lines',
      `[
  ‸async (x) => {
    await x;
  }⌃,
  function later‸(
    a,
    b = (1),
  ) {
    return () => a;
}⌃, new (class {
    async run‸() {
      return 1; }⌃
  })().run]`,
    ],
    ['the function behind one that is bound, also twice', '[function job‸(){}⌃.bind(null),(‸()=>2⌃).bind(1).bind(2)]'],
  ])('tells where they begin and end: %s', (_what, drawing) => {
    const { places, drawn } = located(drawing);
    expect(places.length).toBeGreaterThan(1);
    expect(places).toEqual(drawn);
  });

  it('says nothing of what cannot be told', () => {
    const { places } = located(
      `[Math.max, new Proxy(() => 1, {}), class { constructor() {} }, { ['a' + (1)]() {} }.a1, () => '\u2028', () => {}]`,
    );
    expect(places.map((place) => place !== undefined)).toEqual([false, false, false, false, false, true]);
  });

  it('leaves nothing behind', () => {
    const before = Reflect.ownKeys(globalThis);
    locateFunctions([() => 1]);
    expect(Reflect.ownKeys(globalThis)).toEqual(before);
  });
});
