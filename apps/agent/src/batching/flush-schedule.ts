import timers from 'node:timers';
import type { DurationMs } from '@hearth/profile-model';

/**
 * Ends a period every `periodMs`. The first is cut at random to between a half and the whole, so that processes started together do
 * not all stop and send at the same moment. Never keeps the process alive.
 */
export class FlushSchedule {
  readonly #periodMs: DurationMs;
  readonly #endPeriod: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: DurationMs, endPeriod: () => void) {
    this.#periodMs = periodMs;
    this.#endPeriod = endPeriod;
  }

  start(random: number): void {
    this.#arm(this.#periodMs * (0.5 + random / 2));
  }

  stop(): void {
    timers.clearTimeout(this.#timer);
  }

  #arm(delayMs: DurationMs): void {
    this.#timer = timers
      .setTimeout(() => {
        this.#arm(this.#periodMs); // first: a fault in the period must not be the last of the schedule
        this.#endPeriod();
      }, delayMs)
      .unref();
  }
}
