import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { windowText, type WindowKey } from '../profile-store/index.js';

const FIRST_REST_MS: DurationMs = 15_000;
const LONGEST_REST_MS: DurationMs = 10 * 60_000;
/** Somebody else has built it, or its service is gone. */
const FORGET_AFTER_MS: DurationMs = 30 * 60_000;

/** Windows that this process could not build, and how long each is to be left alone: the others must not wait behind them. */
export class FailedWindows {
  readonly #failed = new Map<string, { restMs: DurationMs; untilMs: EpochMs }>();

  get size(): number {
    return this.#failed.size;
  }

  isResting(key: WindowKey, nowMs: EpochMs): boolean {
    const failed = this.#failed.get(windowText(key));
    return failed !== undefined && nowMs < failed.untilMs;
  }

  /** Each time twice as long as the time before. */
  add(key: WindowKey, nowMs: EpochMs): void {
    const before = this.#failed.get(windowText(key));
    const restMs = before === undefined ? FIRST_REST_MS : Math.min(LONGEST_REST_MS, before.restMs * 2);
    this.#failed.set(windowText(key), { restMs, untilMs: nowMs + restMs });
  }

  remove(key: WindowKey): void {
    this.#failed.delete(windowText(key));
  }

  forgetOld(nowMs: EpochMs): void {
    for (const [text, { untilMs }] of this.#failed) if (untilMs + FORGET_AFTER_MS < nowMs) this.#failed.delete(text);
  }
}
