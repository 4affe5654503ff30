import { FormatError } from '../errors.js';
import type { Whole } from './pprof-message.js';

/** How many nanoseconds one of each unit has. Units that are not here are no times. */
const NANOS: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  microseconds: 1_000,
  milliseconds: 1_000_000,
  seconds: 1_000_000_000,
};
const NANOS_PER_MICRO = 1_000;

export function isTimeUnit(unit: string): boolean {
  return Object.hasOwn(NANOS, unit);
}

/**
 * Turns the values of one sample type into whole ones: times into microseconds, others stay. What is left of one nanosecond value is carried to the
 * next, so the sum of all moves by less than a microsecond.
 */
export class TimeScale {
  readonly #nanos: number | undefined;
  /** Nanoseconds, 0 to 999. */
  #carried = 0;

  constructor(unit: string) {
    this.#nanos = isTimeUnit(unit) ? NANOS[unit]! : undefined;
  }

  /** @throws {FormatError} `FORMAT_VALUE` if the result is not within +-2^53 */
  toWhole(value: Whole): number {
    const scaled = this.#scaled(value);
    if (!Number.isSafeInteger(scaled)) throw new FormatError('FORMAT_VALUE', `a value of ${value} is beyond 2^53`);
    return scaled;
  }

  #scaled(value: Whole): number {
    if (this.#nanos === undefined) return Number(value);
    if (this.#nanos >= NANOS_PER_MICRO) return Number(value) * (this.#nanos / NANOS_PER_MICRO);
    if (typeof value === 'bigint' || !Number.isSafeInteger(value + this.#carried)) return this.#scaledExactly(BigInt(value));
    const sum = value + this.#carried;
    const micros = Math.floor(sum / NANOS_PER_MICRO);
    this.#carried = sum - micros * NANOS_PER_MICRO;
    return micros;
  }

  #scaledExactly(value: bigint): number {
    const sum = value + BigInt(this.#carried);
    const carried = ((sum % 1000n) + 1000n) % 1000n;
    this.#carried = Number(carried);
    return Number((sum - carried) / 1000n);
  }
}
