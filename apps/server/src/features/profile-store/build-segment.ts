import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { decodeBlock } from './block-codec.js';
import { ObservedTime } from './observed-time.js';
import { RowSums } from './profile-rows.js';
import { decodeDetail, encodeDetail, encodeTotals, type SegmentPart } from './segment-codec.js';

/** Ids are checked against the dictionary by whoever reads them; the builder only moves them. */
export const ANY_STACK = 2 ** 31 - 2;

/** A minute, from its blocks. Work for `build-segment.worker.ts`. */
export interface BuildSegmentTask {
  readonly want: 'minute';
  readonly windowStartMs: EpochMs;
  /** Of the segment there is; `undefined`: none yet. */
  readonly detail: Uint8Array | undefined;
  /** Those that it does not hold. */
  readonly blocks: readonly {
    readonly processId: number;
    readonly startMs: EpochMs;
    readonly durationMs: DurationMs;
    readonly data: Uint8Array;
  }[];
}
export interface BuiltSegment {
  readonly totals: Uint8Array;
  /** `null`: of a day whose release is forgotten. */
  readonly detail: Uint8Array | null;
}

export interface BuiltMinute extends BuiltSegment {
  readonly detail: Uint8Array;
}

/** What is there and what is new, as one segment. @throws {StoreError} if either is damaged */
export function buildSegment({ windowStartMs, detail, blocks }: BuildSegmentTask): BuiltMinute {
  const parts: SegmentPart[] = detail === undefined ? [] : decodeDetail(detail, ANY_STACK);
  for (const { processId, startMs, durationMs, data } of blocks) {
    parts.push({ processId, slot: startMs - windowStartMs, durationMs, rows: decodeBlock(data, ANY_STACK) });
  }
  return { totals: totalsOfFlushes(parts), detail: encodeDetail(parts) };
}

/** @param parts Of one minute. */
export function totalsOfFlushes(parts: readonly SegmentPart[]): Uint8Array {
  const sums = new RowSums();
  const observed = new ObservedTime();
  for (const { processId, slot, durationMs, rows } of parts) {
    sums.addRows(rows);
    observed.addFlush(processId, slot, durationMs);
  }
  return encodeTotals(sums.rows(), observed.sum());
}
