import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';
import { DAY_MS, ErasureRepository, PinnedTotals, WINDOW_MS, windowStart } from '../profile-store/index.js';
import { PinnedTransactions } from '../transactions/index.js';

/** Which ranges of time can be deleted: those that cut nothing which is only known as a whole. */
@Injectable()
export class DeletionRanges {
  constructor(
    private readonly erasure: ErasureRepository,
    private readonly totals: PinnedTotals,
    private readonly transactions: PinnedTransactions,
  ) {}

  /** @throws {HearthError} `DELETION_RANGE_UNEVEN`, with ends that would do */
  async assertEven(serviceId: number, { fromMs, untilMs }: TimeRange): Promise<void> {
    const faults = [await this.#faultOf(serviceId, 'from', fromMs), await this.#faultOf(serviceId, 'until', untilMs)];
    const found = faults.filter((fault) => fault !== undefined);
    if (found.length > 0) throw rangeUneven(found.join('; '));
  }

  /**
   * For work that began with ends which cut no day of a pin, once nothing of the range can move into one any more.
   *
   * @throws {HearthError} `DELETION_RANGE_UNEVEN`: a part of it may have moved into a day that they cut
   */
  async assertCutsNoPinned(serviceId: number, { fromMs, untilMs }: TimeRange): Promise<void> {
    for (const atMs of [fromMs, untilMs])
      if (await this.#cutsPinned(serviceId, atMs))
        throw rangeUneven('the day of an end of it was kept for a pinned revision since it was ordered');
  }

  async #cutsPinned(serviceId: number, atMs: EpochMs): Promise<boolean> {
    const dayMs = windowStart(atMs, DAY_MS);
    if (dayMs === atMs) return false;
    return (await this.totals.hasDay(serviceId, dayMs)) || this.transactions.hasDay(serviceId, dayMs);
  }

  async #faultOf(serviceId: number, end: string, atMs: EpochMs): Promise<string | undefined> {
    const lengthMs = (await this.#cutsPinned(serviceId, atMs)) ? DAY_MS : await this.erasure.uncutAt(serviceId, atMs);
    const startMs = windowStart(atMs, lengthMs);
    if (startMs === atMs) return undefined;
    const what =
      lengthMs === WINDOW_MS ? 'minutes are' : `what is there is only known in windows of ${lengthMs / 3_600_000} h, which are`;
    return `${end} may be ${timeText(startMs)} or ${timeText(startMs + lengthMs)}: ${what} deleted as a whole`;
  }
}

export function rangeUneven(detail: string): HearthError {
  return new HearthError('DELETION_RANGE_UNEVEN', detail);
}

function timeText(atMs: EpochMs): string {
  return new Date(atMs).toISOString();
}
