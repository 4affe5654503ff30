import { describe, expect, it } from 'vitest';
import { ReplicaLag } from './replica-lag.js';

describe('ReplicaLag', () => {
  it('is the age of the newest position that is replayed', () => {
    const lag = new ReplicaLag();
    lag.noteWritten(100, 1_000);
    lag.noteWritten(200, 2_000);
    lag.noteWritten(300, 3_000);
    lag.noteReplayed(299);
    expect(lag.lagMs(3_500)).toBe(1_500);
    lag.noteReplayed(300);
    expect(lag.lagMs(3_500)).toBe(500);
  });

  it('grows by itself while nothing is heard, and is next to nothing on an idle primary', () => {
    const lag = new ReplicaLag();
    for (let second = 1; second <= 10; second += 1) {
      lag.noteWritten(100, second * 1_000);
      lag.noteReplayed(100);
    }
    expect(lag.lagMs(10_100)).toBe(100);
    expect(lag.lagMs(70_000)).toBe(60_000);
  });

  it('is unknown before the replica has replayed anything that was seen written', () => {
    const lag = new ReplicaLag();
    expect(lag.lagMs(0)).toBe(Infinity);
    lag.noteWritten(100, 1_000);
    expect(lag.lagMs(1_000)).toBe(Infinity);
    lag.noteReplayed(99);
    expect(lag.lagMs(1_000)).toBe(Infinity);
    lag.noteReplayed(100);
    expect(lag.lagMs(1_000)).toBe(0);
  });

  it('is unknown of a replica that is ahead: it follows another primary', () => {
    const lag = new ReplicaLag();
    lag.noteWritten(100, 1_000);
    lag.noteReplayed(500);
    lag.noteWritten(200, 2_000);
    expect(lag.lagMs(2_000)).toBe(Infinity);
    lag.noteReplayed(200);
    expect(lag.lagMs(2_000)).toBe(0);
  });

  it('keeps an hour of positions, and never says less than it is', () => {
    const lag = new ReplicaLag();
    for (let second = 0; second < 10_000; second += 1) lag.noteWritten(second, second * 1_000);
    lag.noteReplayed(3_598);
    expect(lag.lagMs(10_000_000)).toBe(10_000_000 - 3_598_000);
    lag.noteReplayed(9_000);
    expect(lag.lagMs(10_000_000)).toBe(10_000_000 - 3_599_000);
    lag.noteWritten(10_000, 10_000_000);
    lag.noteReplayed(10_000);
    expect(lag.lagMs(10_000_000)).toBe(0);
  });
});
