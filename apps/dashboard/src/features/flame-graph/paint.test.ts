import { describe, expect, it } from 'vitest';
import { changePaint, contrast, packagePaint, palette, runPaint } from './paint.js';

const rgb = (fill: string) => fill.match(/\d+/g)!.map(Number) as [number, number, number];
const fill = (paint: number) => rgb(palette('light')[paint]!.fill);
/** Orange has more red than blue, purple more blue than red; grey has about as much of both. */
const warmth = (paint: number) => fill(paint)[0] - fill(paint)[2];

describe('changePaint', () => {
  it('is orange for more, purple for less, grey for the same', () => {
    expect(warmth(changePaint(100, 200, 1))).toBeGreaterThan(60);
    expect(warmth(changePaint(200, 100, 1))).toBeLessThan(-60);
    expect(Math.abs(warmth(changePaint(100, 100, 1)))).toBeLessThan(12);
  });
  it('grows with the change and fades with the doubt', () => {
    const strengths = [101, 105, 120, 150, 300].map((candidate) => warmth(changePaint(100, candidate, 1)));
    expect([...strengths].sort((a, b) => a - b)).toEqual(strengths);
    const certainties = [0.2, 0.6, 0.95, 0.999].map((confidence) => warmth(changePaint(100, 200, confidence)));
    expect([...certainties].sort((a, b) => a - b)).toEqual(certainties);
  });
  it('takes what is new or gone for the largest change', () => {
    expect(changePaint(0, 5, 1)).toBe(changePaint(1, 100, 1));
    expect(changePaint(5, 0, 1)).toBe(changePaint(100, 1, 1));
  });
});

describe('runPaint', () => {
  it('shows the sign of the sum, however small', () => {
    expect(warmth(runPaint(1, 1e6))).toBeGreaterThan(warmth(runPaint(0, 1e6)) + 10);
    expect(warmth(runPaint(1, 10))).toBeGreaterThan(20);
    expect(warmth(runPaint(-1, 10))).toBeLessThan(-20);
    expect(Math.abs(warmth(runPaint(0, 10)))).toBeLessThan(12);
  });
});

describe('packagePaint', () => {
  it('gives own code a hue and libraries a grey', () => {
    const spreadOf = ([red, green, blue]: [number, number, number]) => Math.max(red, green, blue) - Math.min(red, green, blue);
    expect(spreadOf(fill(packagePaint({ name: 'f', package: '', file: 'src/a.js' })))).toBeGreaterThan(50);
    expect(spreadOf(fill(packagePaint({ name: 'f', package: 'express', file: 'lib/a.js' })))).toBeLessThan(12);
  });
  it('gives one file one colour', () => {
    expect(packagePaint({ name: 'a', package: '', file: 'src/a.js' })).toBe(
      packagePaint({ name: 'b', package: '', file: 'src/a.js' }),
    );
  });
});

describe('palette', () => {
  it('can be read: every text has a contrast of 4.5 on its fill, in both schemes', () => {
    for (const scheme of ['light', 'dark'] as const) {
      for (const paint of palette(scheme)) {
        const text: [number, number, number] = paint.text === '#ffffff' ? [255, 255, 255] : [0, 0, 0];
        expect(contrast(rgb(paint.fill), text), `${scheme} ${paint.fill}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});
