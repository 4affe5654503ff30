import { Injectable } from '@nestjs/common';
import type { EpochMs, TimeRange } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';
import { ErasureRepository, WINDOW_MS, windowStart } from '../profile-store/index.js';

/** Which ranges of time can be deleted: those that cut nothing which is only known as a whole. */
@Injectable()
export class DeletionRanges {
  constructor(private readonly erasure: ErasureRepository) {}

  /** @throws {HearthError} `DELETION_RANGE_UNEVEN`, with ends that would do */
  async assertEven(serviceId: number, { fromMs, untilMs }: TimeRange): Promise<void> {
    const faults = [await this.#faultOf(serviceId, 'from', fromMs), await this.#faultOf(serviceId, 'until', untilMs)];
    const found = faults.filter((fault) => fault !== undefined);
    if (found.length > 0) throw rangeUneven(found.join('; '));
  }

  async #faultOf(serviceId: number, end: string, atMs: EpochMs): Promise<string | undefined> {
    const lengthMs = await this.erasure.uncutAt(serviceId, atMs);
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
