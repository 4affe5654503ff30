import timers from 'node:timers';
import type { DurationMs } from '@hearth/profile-model';

/** Never keeps the process alive. */
export function rest(durationMs: DurationMs): Promise<void> {
  return new Promise((resolve) => {
    timers.setTimeout(resolve, durationMs).unref();
  });
}
