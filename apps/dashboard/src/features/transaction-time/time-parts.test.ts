import { describe, expect, it } from 'vitest';
import { timeParts } from './time-parts.js';

const transaction = {
  count: 1,
  errors: 0,
  perMinute: 1,
  durationMicros: { p50: 100, p95: 100, p99: 100, mean: 100, sum: 100 },
  cpuMicros: 10,
  cpuPerTransactionMicros: 10,
  waitMicros: 120,
  awaitedMicros: 70,
  unexplainedMicros: 20,
};

describe('timeParts', () => {
  it('shows the time in which something was awaited, not the sum of waits beside each other', () => {
    expect(timeParts(transaction).map(({ name, micros }) => [name, micros])).toEqual([
      ['ran', 10],
      ['waited', 70],
      ['unexplained', 20],
    ]);
  });
  it('has no parts where waits are not recorded', () => {
    expect(timeParts({ ...transaction, waitMicros: null, awaitedMicros: null, unexplainedMicros: null })).toEqual([]);
  });
});
