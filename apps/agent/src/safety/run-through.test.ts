import { describe, expect, it } from 'vitest';
import { runThrough } from './run-through.js';

describe('runThrough', () => {
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);

  it('gives the value and the error of the host', () => {
    expect(
      runThrough(
        (inner) => inner(),
        () => 7,
        onFault,
      ),
    ).toBe(7);
    expect(() =>
      runThrough(
        (inner) => inner(),
        () => {
          throw new Error('host');
        },
        onFault,
      ),
    ).toThrow('host');
    expect(faults).toEqual([]);
  });

  it('runs the host exactly once when ours fails before, after, or does not call it', () => {
    const around = [
      () => {
        throw 'before';
      },
      (inner: () => void) => {
        inner();
        throw 'after';
      },
      () => {},
    ];
    for (const one of around) {
      let runs = 0;
      expect(runThrough(one, () => (runs += 1), onFault)).toBe(1);
      expect(runs).toBe(1);
    }
    expect(faults).toEqual(['before', 'after']);
  });
});
