import { describe, expect, it } from 'vitest';
import { readSpooledName, readUnfinishedName, spooledName, unfinishedName, type SpooledBatch } from './spooled-batch.js';

const batch: SpooledBatch = {
  packedAtMs: 1_763_683_200_000,
  processId: '0123456789abcdef'.repeat(2),
  sequence: 17,
  standsFor: { batches: 2, samples: 990 },
  bytes: 5_120,
  checksum: '8c736521',
  leasedUntilMs: undefined,
};

describe('spooledName', () => {
  it('tells all there is to know of a batch, waiting or being sent', () => {
    for (const one of [batch, { ...batch, leasedUntilMs: 1_763_683_260_000 }])
      expect(readSpooledName(spooledName(one))).toEqual(one);
    expect(spooledName(batch)).toBe('1763683200000.0123456789abcdef0123456789abcdef.17.2.990.5120.8c736521.batch');
  });

  it('is not read from any other name', () => {
    const name = spooledName(batch);
    for (const other of ['', 'a.batch', `x${name}`, `${name}.x`, `../${name}`, name.replace('.17.', '.-1.'), name.toUpperCase()])
      expect(readSpooledName(other)).toBeUndefined();
    for (const when of ['later', 'at-exit'] as const) {
      expect(readSpooledName(unfinishedName(batch, when))).toBeUndefined();
      expect(readUnfinishedName(unfinishedName(batch, when))).toBe(batch.packedAtMs);
    }
    expect(readUnfinishedName(name)).toBeUndefined();
  });
});
