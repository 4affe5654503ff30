import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationSketch } from './duration-sketch.js';

const durations = fc.array(fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.maxSafeNat()), { minLength: 1, maxLength: 200 });
function sketchOf(values: readonly number[]): DurationSketch {
  const sketch = new DurationSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

describe('DurationSketch', () => {
  it('is within 1 % of the true quantile', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sorted = [...values].sort((a, b) => a - b);
        const truth = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        expect(Math.abs(sketchOf(values).quantile(q) - truth)).toBeLessThanOrEqual(truth * 0.01);
      }),
    );
  });
  it('is within 1 % at both ends of every bucket', () => {
    for (let micros = 1; micros < Number.MAX_SAFE_INTEGER; micros = Math.ceil(micros * 1.003)) {
      expect(Math.abs(sketchOf([micros]).quantile(0.5) - micros)).toBeLessThanOrEqual(micros * 0.01);
    }
  });
  it('merges to the sketch of all durations', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const merged = sketchOf(a);
        merged.merge(sketchOf(b));
        expect(merged.toBuckets()).toEqual(sketchOf([...b, ...a]).toBuckets());
        expect(merged.count).toBe(a.length + b.length);
      }),
    );
  });
  it('comes back from its buckets', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { bucket, count } = sketchOf(values).toBuckets();
        expect(DurationSketch.fromBuckets(bucket, count).toBuckets()).toEqual({ bucket, count });
        expect([...bucket]).toEqual([...bucket].sort((a, b) => a - b));
      }),
    );
  });
  it('has no quantile when empty, and takes what is no duration for 0', () => {
    expect(new DurationSketch().quantile(0.5)).toBeNaN();
    expect(sketchOf([-5, Number.NaN, 0.2]).toBuckets()).toEqual({ bucket: Int32Array.of(-1), count: Float64Array.of(3) });
    expect(sketchOf([Infinity]).quantile(1)).toBeGreaterThan(8.9e15);
  });
  it.each([
    [[0], []],
    [[-2], [1]],
    [[1_900], [1]],
    [[0.5], [1]],
    [[0], [-1]],
    [[0], [Number.NaN]],
  ])('refuses buckets %j with counts %j', (bucket, count) => {
    expect(() => DurationSketch.fromBuckets(bucket, count)).toThrowError(expect.objectContaining({ code: 'SKETCH_BUCKET' }));
  });
});
