import { isThenable } from '../safety/is-thenable.js';
import type { Wait } from './wait.js';
import type { WaitRecorder } from './wait-recorder.js';

/**
 * Ends a wait when the host's promise settles.
 *
 * @param result - Of the host's call; what is no promise is given back as it is, and the wait is none.
 * @param rejected - Whether one that rejects was waited for.
 * @returns A promise that settles alike and is returned in its place: listening beside it would make an unhandled rejection look handled.
 */
export function endWithPromise(
  recorder: WaitRecorder,
  wait: Wait,
  result: unknown,
  rejected: 'ends' | 'is-none' = 'ends',
): unknown {
  if (!isThenable(result)) {
    recorder.drop(wait);
    return result;
  }
  return result.then(
    (value) => {
      recorder.end(wait);
      return value;
    },
    (error: unknown) => {
      if (rejected === 'ends') recorder.end(wait);
      else recorder.drop(wait);
      throw error;
    },
  );
}

/** Something with the two functions that settle its promise. */
export interface Settling {
  resolve?: unknown;
  reject?: unknown;
}

const NOW = Promise.resolve();

/**
 * Ends a wait when one of the two has been called and the host is about to go on: many answers may come in one piece, and are all read before the
 * first of their callers runs. Nothing listens to the promise itself: one that nobody handles stays unhandled.
 */
export function endWhenSettled(recorder: WaitRecorder, settling: Settling, wait: Wait | undefined): void {
  if (wait === undefined) return;
  for (const name of ['resolve', 'reject'] as const) {
    const settle = settling[name];
    if (typeof settle !== 'function') continue;
    // Not written where it is assigned: see `Transaction.nameLater`.
    const ending = function (this: unknown, ...args: unknown[]): unknown {
      void NOW.then(() => recorder.end(wait)); // asked for before the host's, so it runs just before
      return Reflect.apply(settle, this, args);
    };
    settling[name] = ending;
  }
}
