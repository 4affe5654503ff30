import type { DurationMs } from '@hearth/profile-model';
import { ANY_STACK, totalsOfFlushes, type BuildSegmentTask, type BuiltMinute, type BuiltSegment } from './build-segment.js';
import { decodeBlock } from './block-codec.js';
import { RowSums } from './profile-rows.js';
import { decodeDetail, decodeTotals, encodeDetail, encodeTotals, type SegmentPart } from './segment-codec.js';

/** What is to be taken out of stored profiles: samples of these label sets, and everything of these processes. */
export interface Labelled {
  readonly labelSetIds: ReadonlySet<number>;
  readonly processIds: ReadonlySet<number>;
}

/** Work for `remove-labelled.worker.ts`. */
export type RemoveLabelledTask = { readonly labelled: Labelled } & (
  | Pick<BuildSegmentTask, 'want' | 'windowStartMs' | 'detail' | 'blocks'>
  /** `detail`: `null`, of a day whose release is forgotten. */
  | ({ readonly want: 'upper' } & BuiltSegment)
);

/** Likewise. */
export interface RemoveFromDetailTask {
  readonly want: 'detail';
  readonly detail: Uint8Array;
  readonly labelled: Labelled;
}

/**
 * The same without what is to go.
 *
 * @returns `undefined`: there is nothing of it
 * @throws {StoreError} if something is damaged
 */
export function removeLabelled(task: RemoveLabelledTask): BuiltSegment | undefined {
  return task.want === 'minute' ? removeFromMinute(task) : removeFromUpper(task, task.labelled);
}

/** Detail alone, of a day that is kept for a pinned revision. @returns As `removeLabelled` */
export function removeFromDetail({ detail, labelled }: RemoveFromDetailTask): Uint8Array | undefined {
  const parts = decodeDetail(detail, ANY_STACK);
  return parts.some((part) => isLabelled(part, labelled)) ? encodeDetail(keptOf(parts, labelled)) : undefined;
}

/** A minute's segment and the blocks behind it, as one. */
function removeFromMinute({
  windowStartMs,
  detail,
  blocks,
  labelled,
}: RemoveLabelledTask & { readonly want: 'minute' }): BuiltMinute | undefined {
  const parts: SegmentPart[] = detail === undefined ? [] : decodeDetail(detail, ANY_STACK);
  for (const { processId, startMs, durationMs, data } of blocks)
    parts.push({ processId, slot: startMs - windowStartMs, durationMs, rows: decodeBlock(data, ANY_STACK) });
  if (!parts.some((part) => isLabelled(part, labelled))) return undefined;
  const kept = keptOf(parts, labelled);
  return { totals: totalsOfFlushes(kept), detail: encodeDetail(kept) };
}

function removeFromUpper({ totals, detail }: BuiltSegment, labelled: Labelled): BuiltSegment | undefined {
  const parts = detail === null ? [] : decodeDetail(detail, ANY_STACK);
  const hasProcesses = parts.some(({ processId }) => labelled.processIds.has(processId));
  const read = decodeTotals(totals);
  if (!hasProcesses && !read.sums.some(({ labelSetId }) => labelled.labelSetIds.has(labelSetId))) return undefined;
  const kept = keptOf(parts, labelled);
  const keptTotals = hasProcesses
    ? totalsOfParts(kept)
    : encodeTotals(
        read.rows(ANY_STACK).filter(({ labelSetId }) => !labelled.labelSetIds.has(labelSetId)),
        read.observedMs,
      );
  return { totals: keptTotals, detail: detail === null ? null : encodeDetail(kept) };
}

/** Of an hour or a day: what its processes did sums up to what all did together. */
function totalsOfParts(parts: readonly SegmentPart[]): Uint8Array {
  const sums = new RowSums();
  let observedMs: DurationMs = 0;
  for (const { rows, durationMs } of parts) {
    sums.addRows(rows);
    observedMs += durationMs;
  }
  return encodeTotals(sums.rows(), observedMs);
}

function isLabelled({ processId, rows }: SegmentPart, { labelSetIds, processIds }: Labelled): boolean {
  return processIds.has(processId) || rows.some(({ labelSetId }) => labelSetIds.has(labelSetId));
}

/** A part that loses all of its samples stays: its process was profiled then, and that time counts. */
function keptOf(parts: readonly SegmentPart[], { labelSetIds, processIds }: Labelled): SegmentPart[] {
  return parts
    .filter(({ processId }) => !processIds.has(processId))
    .map((part) => ({ ...part, rows: part.rows.filter(({ labelSetId }) => !labelSetIds.has(labelSetId)) }));
}
