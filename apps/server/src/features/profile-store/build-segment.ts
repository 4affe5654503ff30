import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { decodeBlock } from './block-codec.js';
import { decodeDetail, encodeDetail, encodeTotals, type SegmentPart } from './segment-codec.js';

/** Ids are checked against the dictionary by whoever reads them; the builder only moves them. */
const ANY_STACK = 2 ** 31 - 2;

/** Work for `build-segment.worker.ts`. */
export interface BuildSegmentTask {
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
  readonly detail: Uint8Array;
}

/** What is there and what is new, as one segment. @throws {StoreError} if either is damaged */
export function buildSegment({ windowStartMs, detail, blocks }: BuildSegmentTask): BuiltSegment {
  const parts: SegmentPart[] = detail === undefined ? [] : decodeDetail(detail, ANY_STACK);
  for (const { processId, startMs, durationMs, data } of blocks) {
    parts.push({ processId, offsetMs: startMs - windowStartMs, durationMs, rows: decodeBlock(data, ANY_STACK) });
  }
  return { totals: encodeTotals(parts), detail: encodeDetail(parts) };
}
