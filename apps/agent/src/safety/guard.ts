import type { AgentLog } from './agent-log.js';
import { runThrough } from './run-through.js';

/** Keeps faults of the agent away from the host: they are logged, and the host goes on. */
export interface Guard {
  /** Runs a piece of the agent; `otherwise` is what a fault in it gives. */
  run<Result>(work: () => Result, otherwise: Result): Result;
  /** Runs the host's `fn` inside a piece of the agent, exactly once whatever fails around it. */
  through<Result>(around: (inner: () => void) => void, fn: () => Result): Result;
  report(this: void, fault: unknown): void;
}

export function createGuard(log: AgentLog): Guard {
  const report = (fault: unknown): void =>
    log.warn('AGENT_FAULT', `a fault of the agent, the service goes on: ${describeError(fault)}`);
  return {
    run: (work, otherwise) => {
      try {
        return work();
      } catch (fault) {
        report(fault);
        return otherwise;
      }
    },
    through: (around, fn) => runThrough(around, fn, report),
    report,
  };
}

/** One line. Never throws, whatever was thrown. */
export function describeError(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const place = error.stack?.split('\n').find((line) => line.startsWith('    at '));
    return `${error.name}: ${error.message.split('\n')[0]} ${place?.trim() ?? ''}`.trim();
  } catch {
    return 'an error that cannot be shown';
  }
}
