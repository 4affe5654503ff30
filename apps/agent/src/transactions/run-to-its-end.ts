import { isPromise } from 'node:util/types';
import type { Outcome } from '@hearth/wire-format';
import { isThenable } from '../safety/is-thenable.js';
import { endWhenAwaited, type Place } from './end-when-awaited.js';
import { outcomeOfError } from './outcome.js';

/**
 * Runs `fn` and gives what it gives; says how it ended just before whoever called goes on.
 *
 * @param ended - Called once.
 * @param place - What `fn` runs in, where that is something of its own.
 */
export function runToItsEnd<Result>(fn: () => Result, ended: (outcome: Outcome) => void, place?: Place): Result {
  let result: Result;
  try {
    result = fn();
  } catch (error) {
    ended(outcomeOfError(error));
    throw error;
  }
  if (!isThenable(result)) {
    ended('ok');
    return result;
  }
  if (!isPromise(result)) {
    endWhenAwaited(result, ended, place);
    return result;
  }
  // The promise behind it is the one that is returned: listening beside it would make an unhandled rejection look handled.
  const promise: PromiseLike<unknown> = result instanceof Promise ? result : Promise.resolve(result);
  return promise.then(
    (value) => {
      ended('ok');
      return value;
    },
    (error: unknown) => {
      ended(outcomeOfError(error));
      throw error;
    },
  ) as Result;
}
