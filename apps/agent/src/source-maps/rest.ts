import type { DurationMs } from '@hearth/profile-model';

/** Never keeps the process alive. */
export function rest(durationMs: DurationMs): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs).unref();
  });
}
