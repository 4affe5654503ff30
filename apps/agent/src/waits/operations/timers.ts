import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import type { DurationMs } from '@hearth/profile-model';
import { patchMethod, type HostFunction, type Undo } from '../patch-method.js';
import { endWithPromise } from '../settled.js';
import type { WaitRecorder } from '../wait-recorder.js';

/** Shorter timers are how programs yield, and too many to follow. */
export const LEAST_TIMER_MS: DurationMs = 50;

/**
 * Timers of `LEAST_TIMER_MS` and more that are set within a transaction and fire before its end: what it slept. Cleared ones, as those that
 * guard something else, never fire; so they are none. Nor are those that do not hold the process, as libraries keep for themselves.
 */
export function followTimers(recorder: WaitRecorder): Undo {
  const around = (setTimer: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const [callback, delayMs, ...rest] = args;
      if (typeof callback !== 'function' || !isLong(delayMs)) return setTimer.apply(this, args);
      const wait = recorder.begin('timer', 'setTimeout', ours, 'transactions');
      if (wait === undefined) return setTimer.apply(this, args);
      const fired = function (this: unknown, ...results: unknown[]): unknown {
        if (wait.scope?.transaction?.outcome === undefined && isHeldBy(timer)) recorder.end(wait);
        else recorder.drop(wait);
        return Reflect.apply(callback, this, results);
      };
      const timer = setTimer.apply(this, [fired, delayMs, ...rest]);
      return timer;
    };
  const aroundPromise = (sleep: HostFunction): HostFunction =>
    function ours(this: unknown, ...args) {
      const isFollowed = isLong(args[0]) && !isUnheld(args[2]);
      const wait = isFollowed ? recorder.begin('timer', 'setTimeout', ours, 'transactions') : undefined;
      if (wait === undefined) return sleep.apply(this, args);
      return endWithPromise(recorder, wait, sleep.apply(this, args), 'is-none'); // one that rejects was aborted, which is how it is cleared
    };
  const undos = [
    patchMethod(globalThis, 'setTimeout', around),
    patchMethod(timers, 'setTimeout', around),
    patchMethod(timersPromises, 'setTimeout', aroundPromise),
  ];
  return () => undos.forEach((undo) => undo?.());
}

/** Does the process stay for this timer? */
function isHeldBy(timer: unknown): boolean {
  const { hasRef } = (timer ?? {}) as { hasRef?: unknown };
  return typeof hasRef !== 'function' || Reflect.apply(hasRef, timer, []) !== false;
}

/** Do the options of a promised timer say that the process does not stay for it? */
function isUnheld(options: unknown): boolean {
  try {
    return (options as { ref?: unknown } | null | undefined)?.ref === false;
  } catch {
    return false; // computed by the host, and refused by Node in the same way
  }
}

function isLong(delayMs: unknown): boolean {
  return Number(delayMs) >= LEAST_TIMER_MS;
}
