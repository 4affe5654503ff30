import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { CopyReader } from '../../platform/database/copy.js';
import { StoreError } from './store-error.js';

/** Which windows, in ids. Each list: any of them; undefined is all. */
export interface WindowSelection {
  readonly serviceId: number;
  readonly profileTypeIds: readonly number[];
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly environmentIds?: readonly number[] | undefined;
  readonly revisionIds?: readonly number[] | undefined;
}

/** Which stored profiles, in ids. Each list: any of them; undefined is all. */
export interface StoredQuery {
  readonly serviceId: number;
  readonly profileTypeId: number;
  /** Flushes that start within [fromMs, untilMs): a flush is never cut. */
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly environmentIds?: readonly number[] | undefined;
  readonly revisionIds?: readonly number[] | undefined;
  readonly processIds?: readonly number[] | undefined;
  readonly labelSetIds?: readonly number[] | undefined;
}

/** Two COPY answers of one snapshot. Together they hold every profile of the question once. */
export interface StoredProfiles {
  readonly segments: Uint8Array<ArrayBuffer>;
  /** Those that no segment holds yet. */
  readonly blocks: Uint8Array<ArrayBuffer>;
}

export interface SegmentRow {
  /** Which level it is of. */
  readonly windowMs: DurationMs;
  readonly windowStartMs: EpochMs;
  readonly revisionId: number;
  /** Its stacks are those of its revision's own dictionary, not of its month. */
  readonly isPinned: boolean;
  /** Exactly one of the two is here: totals where processes need not be told apart. */
  readonly totals: Uint8Array | null;
  readonly detail: Uint8Array | null;
}
export interface TailBlockRow {
  readonly windowStartMs: EpochMs;
  readonly revisionId: number;
  readonly processId: number;
  readonly startMs: EpochMs;
  readonly durationMs: number;
  readonly data: Uint8Array;
}

/** In the order of `SEGMENT_COLUMNS`. */
export function* segmentRows({ segments }: StoredProfiles): Generator<SegmentRow> {
  const reader = new CopyReader(segments);
  while (reader.nextRow()) {
    yield {
      windowMs: reader.int8(),
      windowStartMs: reader.int8(),
      revisionId: reader.int8(),
      isPinned: reader.int8() !== 0,
      totals: reader.bytes(),
      detail: reader.bytes(),
    };
  }
}

/** In the order of `BLOCK_COLUMNS`. */
export function* tailBlockRows({ blocks }: StoredProfiles): Generator<TailBlockRow> {
  const reader = new CopyReader(blocks);
  while (reader.nextRow()) {
    const row = {
      windowStartMs: reader.int8(),
      revisionId: reader.int8(),
      processId: reader.int8(),
      startMs: reader.int8(),
      durationMs: reader.int4(),
      data: reader.bytes(),
    };
    if (row.data === null) throw new StoreError('BLOCK_DAMAGED', `a block of process ${row.processId} is empty`);
    yield { ...row, data: row.data };
  }
}
