import type { StackTable } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import { CopyWriter } from '../../platform/database/copy.js';
import { encodeBlock, type BlockColumns } from './block-codec.js';
import { mergeStoredProfiles, type LabelSetGroups, type ProcessValues } from './merge-stored-profiles.js';
import { DAY_MS, WINDOW_MS } from './window.js';

const PROCESS = 7;
/** main and read: stacks 0 and 1. */
const STACKS: StackTable = { length: 2, parent: Int32Array.of(-1, 0), functionRow: Uint32Array.of(0, 1) };
const NO_ROWS = new CopyWriter().finish();

/** As `SnapshotRepository` reads it: one block behind the segments. */
function tailBlock(columns: BlockColumns): Uint8Array<ArrayBuffer> {
  const writer = new CopyWriter();
  writer.row(6);
  writer.int8(0); // window
  writer.int8(1); // revision
  writer.int8(PROCESS);
  writer.int8(0); // start
  writer.int4(10_000);
  writer.bytes(encodeBlock(columns, 1));
  return Uint8Array.from(writer.finish());
}

function byProcess(columns: BlockColumns, groupOfLabelSet: LabelSetGroups): ProcessValues {
  const merged = mergeStoredProfiles({
    want: 'processes',
    groupOfLabelSet,
    windowMs: WINDOW_MS,
    stored: { segments: Uint8Array.from(NO_ROWS), blocks: tailBlock(columns) },
    filter: { fromMs: 0, untilMs: DAY_MS },
    epochs: [{ of: { fromMs: 0, untilMs: DAY_MS }, stacks: STACKS, functionRow: Uint32Array.of(0, 1) }],
  });
  if (!('processId' in merged)) throw new Error('no values of processes');
  return merged;
}

describe('mergeStoredProfiles by process', () => {
  // Near 2^22 groups times 2^31 stacks there are no odd numbers any more.
  it.each([0, 2 ** 22 - 1, 2 ** 22, 2 ** 31 - 1])('keeps the stacks of label set group %i apart', (group) => {
    const {
      group: groups,
      stackId,
      value,
    } = byProcess(
      {
        stackId: Int32Array.of(-1, 0, 1),
        labelSetId: Uint32Array.of(5, 5, 5),
        value: Float64Array.of(1, 20, 300),
        count: Float64Array.of(1, 1, 1),
      },
      new Map([[5, group]]),
    );
    expect([...groups]).toEqual([group, group, group]);
    expect([...stackId]).toEqual([-1, 0, 1]);
    expect([...value]).toEqual([1, 20, 300]);
  });

  it('sums label sets of one group, and those that are in none', () => {
    const { group, stackId, value, count } = byProcess(
      {
        stackId: Int32Array.of(0, 0, 1, 0, 0),
        labelSetId: Uint32Array.of(1, 2, 2, 3, 4),
        value: Float64Array.of(1, 20, 300, 4000, 50_000),
        count: Float64Array.of(1, 2, 3, 4, 5),
      },
      new Map([
        [1, 9],
        [2, 9],
      ]),
    );
    const rows = Array.from(group, (one, row) => [one, stackId[row], value[row], count[row]]);
    expect(rows).toEqual([
      [9, 0, 21, 3],
      [9, 1, 300, 3],
      [-1, 0, 54_000, 9],
    ]);
  });
});
