import { describe, expect, it } from 'vitest';
import { BatchBuffer, MAX_BUFFERED_AGE_MS, type PackedBatch } from './batch-buffer.js';

const batch = (sequence: number, bytes: number, packedAt = 0): PackedBatch => ({
  sequence,
  bytes: new Uint8Array(bytes),
  packedAtMs: 0,
  packedAt,
  standsFor: { batches: 1, samples: 10 },
});

describe('BatchBuffer', () => {
  it('holds its bytes exactly, and drops the oldest for one byte more', () => {
    const buffer = new BatchBuffer(100);
    buffer.add(batch(1, 60), 0);
    buffer.add(batch(2, 40), 0);
    expect([buffer.length, buffer.bytes, buffer.takeDropped()]).toEqual([2, 100, { batches: 0, samples: 0 }]);
    buffer.add(batch(3, 1), 0);
    expect([buffer.oldest!.sequence, buffer.bytes]).toEqual([2, 41]);
    expect(buffer.takeDropped()).toEqual({ batches: 1, samples: 10 });
    expect(buffer.takeDropped()).toEqual({ batches: 0, samples: 0 });
  });

  it('drops a batch above ten minutes, not at ten', () => {
    const buffer = new BatchBuffer(1_000);
    buffer.add(batch(1, 1, 0), 0);
    buffer.dropOld(MAX_BUFFERED_AGE_MS);
    expect(buffer.length).toBe(1);
    buffer.dropOld(MAX_BUFFERED_AGE_MS + 1);
    expect([buffer.length, buffer.takeDropped().batches]).toEqual([0, 1]);
  });

  it('counts again the losses that only a dropped batch would have reported', () => {
    const buffer = new BatchBuffer(10);
    buffer.add({ ...batch(5, 10), standsFor: { batches: 4, samples: 70 } }, 0);
    buffer.add(batch(6, 10), 0);
    expect(buffer.takeDropped()).toEqual({ batches: 4, samples: 70 });
  });

  it('takes a batch back as its oldest, and drops it where there is no room any more', () => {
    const buffer = new BatchBuffer(100);
    const [first, second] = [batch(1, 60), batch(2, 40)];
    buffer.add(first, 0);
    buffer.remove(first);
    buffer.add(second, 0);
    buffer.putBack(first);
    expect([buffer.all.map(({ sequence }) => sequence), buffer.bytes]).toEqual([[1, 2], 100]);
    buffer.remove(first);
    buffer.add(batch(3, 1), 0);
    buffer.putBack(first);
    expect([buffer.all.map(({ sequence }) => sequence), buffer.takeDropped().batches]).toEqual([[2, 3], 1]);
  });

  it('drops a batch that is larger than all of it, and counts none twice', () => {
    const buffer = new BatchBuffer(10);
    const large = batch(1, 11);
    buffer.add(large, 0);
    buffer.drop(large);
    buffer.remove(large);
    expect([buffer.length, buffer.bytes, buffer.takeDropped().batches]).toEqual([0, 0, 1]);
  });
});
