import type { DurationMs } from '@hearth/profile-model';

/** Stacks captured in a second, on average, where each is cheap; half as many again while a burst is noticed. */
export const CAPTURES_PER_SECOND = 200;
/** What captures may take of each second, on average. Where nothing is warm, one takes ten times what it takes in a loop. */
export const CAPTURE_MS_PER_SECOND: DurationMs = 2.5;
/** What was not spent of that, at most: a program that has just started, or does little for a while, has all its callers. */
const MAX_CREDIT_MS: DurationMs = 100;
/** What one takes is taken for this until some were seen: so much that all that are captured otherwise may be. */
const FIRST_COST_MS: DurationMs = CAPTURE_MS_PER_SECOND / CAPTURES_PER_SECOND;
/** How much the cost is corrected by each that took more, or less: it comes to their median, whatever single ones take that the machine interrupted. */
const CORRECTION = 9 / 8;
/** Stacks captured in one period, however long it is. */
const CAPTURES_PER_PERIOD = 2_000;
/** How long a share holds. */
const WINDOW_MS: DurationMs = 250;

/**
 * Which operations have their stack captured: all of them while they are few and cheap, else a share that keeps the cost bounded. The share is
 * fixed before an operation is drawn, so that `1 / share` weighs it without bias.
 */
export class CaptureBudget {
  readonly #random: () => number;
  readonly #mostPerWindow: number;
  #allowedPerWindow: number;
  #perWindow: number;
  #costMs: DurationMs = FIRST_COST_MS;
  #creditMs: DurationMs = MAX_CREDIT_MS;
  #share = 1;
  #drawn = 0;
  #captured = 0;
  #windowFromMs = Number.NEGATIVE_INFINITY;

  constructor(periodMs: DurationMs, random: () => number = Math.random) {
    this.#random = random;
    const perSecond = Math.min(CAPTURES_PER_SECOND, (CAPTURES_PER_PERIOD * 1000) / periodMs);
    this.#mostPerWindow = Math.max(1, Math.floor((perSecond * WINDOW_MS) / 1000));
    this.#perWindow = this.#allowedPerWindow = this.#mostPerWindow;
  }

  /** @param part - Of the stacks that may be captured otherwise; 0: none. Holds from the next window on. */
  allow(part: number): void {
    this.#allowedPerWindow = part === 0 ? 0 : Math.max(1, Math.floor(this.#mostPerWindow * part));
  }

  /** Says what one captured stack took, from its capture to its names. */
  took(ms: DurationMs): void {
    this.#costMs = Math.max(FIRST_COST_MS, this.#costMs * (ms > this.#costMs ? CORRECTION : 1 / CORRECTION));
    this.#creditMs = Math.max(0, this.#creditMs - this.#costMs);
  }

  /** @returns How many operations a captured one stands for; 0: this one is not captured. */
  draw(nowMs: number): number {
    if (nowMs - this.#windowFromMs >= WINDOW_MS) this.#openWindow(nowMs);
    this.#drawn += 1;
    if (this.#perWindow === 0) return 0;
    if (this.#captured >= this.#perWindow * 1.5 || this.#random() >= this.#share) return 0;
    const weight = 1 / this.#share;
    this.#captured += 1;
    if (this.#captured === this.#perWindow) this.#share /= 8; // more came than the window before let expect
    return weight;
  }

  #openWindow(nowMs: number): void {
    const sinceMs = nowMs - this.#windowFromMs;
    this.#creditMs = Math.min(MAX_CREDIT_MS, this.#creditMs + (sinceMs * CAPTURE_MS_PER_SECOND) / 1000);
    this.#perWindow = Math.min(this.#allowedPerWindow, Math.max(1, Math.floor(this.#creditMs / this.#costMs)));
    const windows = Math.max(1, sinceMs / WINDOW_MS);
    const expected = Number.isFinite(windows) ? this.#drawn / windows : 0;
    this.#share = expected <= this.#perWindow ? 1 : this.#perWindow / expected;
    this.#drawn = 0;
    this.#captured = 0;
    this.#windowFromMs = nowMs;
  }
}
