/** Milliseconds since the Unix epoch, UTC. */
export type EpochMs = number;
/** A length of time in milliseconds. */
export type DurationMs = number;
/** Whole microseconds: the unit of every stored time value. */
export type Micros = number;
/** Half-open: `[fromMs, untilMs)`. */
export interface TimeRange {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
}
