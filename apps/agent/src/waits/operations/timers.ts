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
      const wait = isLong(args[0]) ? recorder.begin('timer', 'setTimeout', ours, 'transactions') : undefined;
      return wait === undefined ? sleep.apply(this, args) : endWithPromise(recorder, wait, sleep.apply(this, args));
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

function isLong(delayMs: unknown): boolean {
  return Number(delayMs) >= LEAST_TIMER_MS;
}
