import { describe, expect, it } from 'vitest';
import { HandlerRanges, isWithin, positionOf } from './handler-ranges.js';

/** A script of one line: `(` and `)` are where ranges begin and end, a letter says which. */
function rangesOf(drawing: string) {
  const ranges = new HandlerRanges();
  const open: { name: string; start: number }[] = [];
  const places = new Map<number, { name: string; start: number; end: number }>();
  drawing.split('').forEach((character, at) => {
    if (character === '(') open.push({ name: drawing[at + 1]!, start: at + 1 });
    if (character !== ')') return;
    const { name, start } = open.pop()!;
    places.set(start, { name, start, end: at + 1 });
  });
  const nameAt = new Map<number, string>();
  for (const { name, start, end } of places.values()) {
    ranges.add({ scriptId: 1, start, end }, 'custom').owners.add(name);
    nameAt.set(start, name);
  }
  return (column: number) => {
    const names: string[] = [];
    for (let range = ranges.at(1, column); range !== undefined; range = range.outer) names.push(nameAt.get(range.start)!);
    return names.join('');
  };
}

describe('HandlerRanges', () => {
  it('finds the smallest range around a place, and those around it', () => {
    const around = rangesOf('.(a..(b)(c(d)))');
    const found = Array.from({ length: 15 }, (_, at) => around(at + 1) || '.');
    expect(found.join(' ')).toBe('. a a a a ba ba a ca ca dca dca ca a .');
  });

  it('keeps scripts apart, and a range once', () => {
    const ranges = new HandlerRanges();
    expect(ranges.isEmpty).toBe(true);
    const first = ranges.add({ scriptId: 1, start: 10, end: 20 }, 'custom');
    expect(ranges.add({ scriptId: 1, start: 10, end: 20 }, 'http')).toBe(first);
    expect([ranges.at(1, 9), ranges.at(1, 10), ranges.at(1, 19), ranges.at(1, 20), ranges.at(2, 15)]).toEqual([
      undefined,
      first,
      first,
      undefined,
      undefined,
    ]);
  });

  it('puts places in the order of the text, and leaves out what is unknown or too far', () => {
    expect(positionOf(2, 1)!).toBeGreaterThan(positionOf(1, 2 ** 25 - 1)!);
    expect([positionOf(0, 1), positionOf(1, 0), positionOf(1, 2 ** 25), positionOf(2 ** 27, 1)]).toEqual(
      Array(4).fill(undefined),
    );
    expect(Number.isSafeInteger(positionOf(2 ** 27 - 1, 2 ** 25 - 1))).toBe(true);
  });

  it('knows what is within what', () => {
    const outer = { scriptId: 1, start: 10, end: 20 };
    expect(isWithin(outer, outer)).toBe(true);
    expect(isWithin({ ...outer, start: 9 }, outer)).toBe(false);
    expect(isWithin({ ...outer, end: 21 }, outer)).toBe(false);
    expect(isWithin({ ...outer, scriptId: 2 }, outer)).toBe(false);
  });
});
