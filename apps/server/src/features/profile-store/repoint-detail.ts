import type { DurationMs } from '@hearth/profile-model';
import { ANY_STACK } from './build-segment.js';
import { RowSums } from './profile-rows.js';
import { encodeDetail, openDetail, type SegmentPart } from './segment-codec.js';

/** Work for `repoint-detail.worker.ts`: the detail of a day over the stacks of another dictionary. */
export type RepointTask =
  | { readonly want: 'stack-ids'; readonly detail: Uint8Array }
  | {
      readonly want: 'detail';
      readonly detail: Uint8Array;
      /** As `stack-ids` gave them, and what each is in the other dictionary. */
      readonly stackIds: Int32Array;
      readonly newStackIds: Int32Array;
      /** What is there of the same day already, over the other dictionary; `undefined`: nothing. */
      readonly base: Uint8Array | undefined;
    };

/** The stacks that a detail names, ascending. @throws {StoreError} if it is damaged */
export function stackIdsOf(detail: Uint8Array): Int32Array {
  return Int32Array.from(openDetail(detail, ANY_STACK).keys.filter((key) => key > 0)).map((key) => key - 1);
}

/** The detail of an hour or day with other ids, and what there is already, as one. @throws {StoreError} if one is damaged */
export function repointDetail({ detail, stackIds, newStackIds, base }: RepointTask & { readonly want: 'detail' }): Uint8Array {
  const newKeyOf = new Map<number, number>([[0, 0]]);
  stackIds.forEach((id, row) => newKeyOf.set(id + 1, newStackIds[row]! + 1));
  const merged = new PartSums();
  if (base !== undefined) merged.addAll(base, (key) => key);
  merged.addAll(detail, (key) => newKeyOf.get(key)!);
  return encodeDetail(merged.parts());
}

/** What each process did at each age. */
class PartSums {
  readonly #sums = new Map<string, { processId: number; slot: number; durationMs: DurationMs; sums: RowSums }>();

  addAll(detail: Uint8Array, newKey: (key: number) => number): void {
    const reader = openDetail(detail, ANY_STACK);
    reader.processId.forEach((processId, part) => {
      const slot = reader.slot[part]!;
      const name = `${processId} ${slot}`;
      let into = this.#sums.get(name);
      if (into === undefined) this.#sums.set(name, (into = { processId, slot, durationMs: 0, sums: new RowSums() }));
      into.durationMs += reader.durationMs[part]!;
      into.sums.addRows(reader.rows(part).map((rows) => ({ ...rows, key: rows.key.map(newKey) })));
    });
  }

  /** Rows come sorted by their new keys. */
  parts(): SegmentPart[] {
    return Array.from(this.#sums.values(), ({ sums, ...part }) => ({ ...part, rows: sums.rows() }));
  }
}
