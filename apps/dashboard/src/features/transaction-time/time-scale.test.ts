import { describe, expect, it } from 'vitest';
import { placeIn, readRunView, runViewText, ticksOf, viewOf } from './time-scale.js';

describe('the view of a run', () => {
  it('is the part that the URL names, and all of it where that makes no sense', () => {
    expect(readRunView('10-20', 100)).toEqual({ from: 10, to: 20 });
    expect(readRunView('10-200', 100)).toEqual({ from: 10, to: 100 });
    for (const text of ['', '20-10', '20-20', '100-200', '-5-10', '1e1-20', 'x'])
      expect(readRunView(text, 100), text).toEqual({ from: 0, to: 100 });
    expect(readRunView('', 0)).toEqual({ from: 0, to: 1 });
  });
  it('comes back from its text', () => {
    expect(runViewText({ from: 10, to: 20 }, 100)).toBe('10-20');
    expect(runViewText({ from: 0, to: 100 }, 100)).toBe('');
    expect(runViewText({ from: 0, to: 99 }, 100)).toBe('0-99');
  });
  it('has a width, and comes back from its text, also of what took no time', () => {
    expect(viewOf(10, 5)).toEqual({ from: 10, to: 15 });
    expect(readRunView(runViewText(viewOf(10, 0), 100), 100)).toEqual(viewOf(10, 0));
  });
});

describe('placeIn', () => {
  it('gives percent of the width, cut at its ends', () => {
    const view = { from: 100, to: 200 };
    expect(placeIn(view, 110, 20)).toEqual({ left: 10, width: 20 });
    expect(placeIn(view, 50, 60)).toEqual({ left: 0, width: 10 });
    expect(placeIn(view, 190, 60)).toEqual({ left: 90, width: 10 });
    expect(placeIn(view, 0, 99)).toBeUndefined();
    expect(placeIn(view, 201, 1)).toBeUndefined();
  });
});

describe('ticksOf', () => {
  it('are round, few, and within the view', () => {
    expect(ticksOf({ from: 0, to: 418_000 })).toEqual([0, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000]);
    expect(ticksOf({ from: 12_345, to: 12_350 })).toEqual([12_345, 12_346, 12_347, 12_348, 12_349, 12_350]);
    for (const to of [1, 7, 99, 1_000, 123_456_789]) expect(ticksOf({ from: 0, to }).length).toBeLessThanOrEqual(10);
  });
});
