import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { ageStratum } from './age-stratum.js';
import { ANY_STACK, type BuiltSegment } from './build-segment.js';
import { ObservedTime } from './observed-time.js';
import { RowSums } from './profile-rows.js';
import { decodeTotals, encodeDetail, encodeTotals, openDetail, type DetailReader, type SegmentPart } from './segment-codec.js';

/** An hour from minutes, or a day from hours. Work for `build-segment.worker.ts`. */
export interface MergeSegmentsTask {
  readonly want: 'hour' | 'day';
  /** What a sealed window holds already; `undefined`: it is made anew. */
  readonly base: BuiltSegment | undefined;
  readonly below: readonly { readonly windowStartMs: EpochMs; readonly totals: Uint8Array; readonly detail: Uint8Array }[];
  /** Of an hour: when each process started. One that is not known counts as old. */
  readonly startedAtMs: ReadonlyMap<number, EpochMs>;
}

/** @throws {StoreError} if something is damaged */
export function mergeSegments(task: MergeSegmentsTask): BuiltSegment {
  return { totals: mergeTotals(task), detail: task.base?.detail === null ? null : mergeDetails(task) };
}

function mergeTotals({ base, below }: MergeSegmentsTask): Uint8Array {
  const sums = new RowSums();
  let observedMs = 0;
  for (const { totals } of base === undefined ? below : [base, ...below]) {
    const read = decodeTotals(totals);
    observedMs += read.observedMs;
    sums.addRows(read.rows(ANY_STACK));
  }
  return encodeTotals(sums.rows(), observedMs);
}

/** Process by process, so that only one of them is decoded at a time. */
function mergeDetails({ want, base, below, startedAtMs }: MergeSegmentsTask): Uint8Array {
  const readers = below.map(({ windowStartMs, detail }) => openedDetail(windowStartMs, detail));
  const ofBase = base?.detail ? openedDetail(0, base.detail) : undefined;
  const processIds = new Set([...readers, ...(ofBase ? [ofBase] : [])].flatMap(({ reader }) => [...reader.processId]));
  const parts: SegmentPart[] = [];
  for (const processId of [...processIds].sort((a, b) => a - b)) {
    const strata = new Map<number, { readonly sums: RowSums; durationMs: DurationMs }>();
    const stratumOf = (stratum: number) => {
      let found = strata.get(stratum);
      if (found === undefined) strata.set(stratum, (found = { sums: new RowSums(), durationMs: 0 }));
      return found;
    };
    const addByStratum = ({ reader, firstPartOf }: OpenedDetail) => {
      for (let part = firstPartOf.get(processId) ?? Infinity; reader.processId[part] === processId; part += 1) {
        const into = stratumOf(reader.slot[part]!);
        into.durationMs += reader.durationMs[part]!;
        into.sums.addRows(reader.rows(part));
      }
    };
    const addByFlush = ({ windowStartMs, reader, firstPartOf }: OpenedDetail) => {
      const observed = new Map<number, ObservedTime>();
      for (let part = firstPartOf.get(processId) ?? Infinity; reader.processId[part] === processId; part += 1) {
        const startMs = windowStartMs + reader.slot[part]!;
        const stratum = ageStratum(startMs - (startedAtMs.get(processId) ?? -Infinity));
        stratumOf(stratum).sums.addRows(reader.rows(part));
        if (!observed.has(stratum)) observed.set(stratum, new ObservedTime());
        observed.get(stratum)!.addFlush(processId, startMs, reader.durationMs[part]!);
      }
      for (const [stratum, time] of observed) stratumOf(stratum).durationMs += time.sum();
    };
    if (ofBase !== undefined) addByStratum(ofBase);
    for (const opened of readers) {
      if (want === 'hour') addByFlush(opened);
      else addByStratum(opened);
    }
    for (const [slot, { sums, durationMs }] of strata) parts.push({ processId, slot, durationMs, rows: sums.rows() });
  }
  return encodeDetail(parts);
}

interface OpenedDetail {
  readonly windowStartMs: EpochMs;
  readonly reader: DetailReader;
  readonly firstPartOf: ReadonlyMap<number, number>;
}

function openedDetail(windowStartMs: EpochMs, detail: Uint8Array): OpenedDetail {
  const reader = openDetail(detail, ANY_STACK);
  const firstPartOf = new Map<number, number>();
  reader.processId.forEach((processId, part) => {
    if (!firstPartOf.has(processId)) firstPartOf.set(processId, part);
  });
  return { windowStartMs, reader, firstPartOf };
}
