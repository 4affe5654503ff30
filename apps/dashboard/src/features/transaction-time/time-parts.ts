import type { TransactionAnswer } from '@hearth/query-contract';

export type TimeFigures = Pick<TransactionAnswer, 'cpuMicros' | 'awaitedMicros' | 'unexplainedMicros'>;

/** Where the time of a transaction's runs went, in microseconds. */
export interface TimePart {
  readonly name: 'ran' | 'waited' | 'unexplained';
  readonly micros: number;
}

/**
 * Running, waiting and the rest of the runs' durations; empty where waits are not recorded. What ran while something else was awaited is in
 * both, so the parts may add up to more than the durations, and never to less.
 */
export function timeParts({ cpuMicros, awaitedMicros, unexplainedMicros }: TimeFigures): TimePart[] {
  if (awaitedMicros === null || unexplainedMicros === null) return [];
  return [
    { name: 'ran', micros: cpuMicros },
    { name: 'waited', micros: awaitedMicros },
    { name: 'unexplained', micros: unexplainedMicros },
  ];
}
