import { describe, expect, it } from 'vitest';
import { timeParts } from './time-parts.js';

const transaction = { cpuMicros: 10, awaitedMicros: 70, unexplainedMicros: 20 };

describe('timeParts', () => {
  it('shows the time in which something was awaited, not the sum of waits beside each other', () => {
    expect(timeParts(transaction).map(({ name, micros }) => [name, micros])).toEqual([
      ['ran', 10],
      ['waited', 70],
      ['unexplained', 20],
    ]);
  });
  it('has no parts where waits are not recorded', () => {
    expect(timeParts({ ...transaction, awaitedMicros: null, unexplainedMicros: null })).toEqual([]);
  });
});
