import type { EpochMs, TimeRange } from '@hearth/profile-model';

/**
 * Which dictionary of a service the stacks of a window are in: months from January 1970 to the window's, UTC. Windows of every
 * length lie within one month. Stack ids of two epochs have nothing to do with each other.
 *
 * Negative ones hold copies that outlive their month: that of revision 7 is −7.
 */
export type Epoch = number;

export function epochOf(windowStartMs: EpochMs): Epoch {
  const at = new Date(windowStartMs);
  return (at.getUTCFullYear() - 1970) * 12 + at.getUTCMonth();
}

/** The month of an epoch; not of a copy's. */
export function epochRange(epoch: Epoch): TimeRange {
  return { fromMs: Date.UTC(1970, epoch), untilMs: Date.UTC(1970, epoch + 1) };
}

/** Where the stacks of a pinned revision are copied to. */
export function epochOfPinned(revisionId: number): Epoch {
  return -revisionId;
}

/** The revision whose copy an epoch is; `undefined`: it is a month. */
export function pinnedRevisionOf(epoch: Epoch): number | undefined {
  return epoch < 0 ? -epoch : undefined;
}

/** One dictionary. */
export interface EpochKey {
  readonly serviceId: number;
  readonly epoch: Epoch;
}

/** State of a dictionary. */
export interface StackHead {
  /** Drawn when the epoch is made: what has another one are other stacks, although their ids look the same. */
  readonly generation: number;
  /** Of the newest page. */
  readonly version: number;
}

/** A dictionary that stack ids were taken from, and the state it had. */
export type UsedEpoch = EpochKey & StackHead;
