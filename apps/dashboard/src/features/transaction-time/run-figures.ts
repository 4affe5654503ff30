import type { ExemplarFigures, ExemplarOutcome } from '@hearth/query-contract';
import type { TimeFigures } from './time-parts.js';

/** What one run did with its time, as of the runs of a transaction. */
export function timeOfRun({ durationMicros, cpuMicros, awaitedMicros }: ExemplarFigures): TimeFigures {
  return { cpuMicros, awaitedMicros, unexplainedMicros: Math.max(0, durationMicros - cpuMicros - awaitedMicros) };
}

/** Whether an outcome is the service's fault: a client that leaves is not. */
export function isFailure(outcome: ExemplarOutcome): boolean {
  return outcome === 'error' || outcome === 'timeout';
}
