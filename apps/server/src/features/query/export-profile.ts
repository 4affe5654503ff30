import type { DurationMs, FunctionTable, LabelSet, Profile, ProfileHead, StackTable } from '@hearth/profile-model';
import { NO_PARENT, ProfileBuilder } from '@hearth/profile-model';
import { averageOverTime } from './level-average.js';

/** Values of a selection over the dictionary of its service; columns of one length. */
export interface ExportRows {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  /** Row in `stacks`; `NO_PARENT` for samples without frames. */
  readonly stackId: ArrayLike<number>;
  /** Row in `labelSets`; anything else: none. */
  readonly labelSetRow: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly count: ArrayLike<number>;
}

/** Stored levels (value x milliseconds) as averages over `levelMs`: one row for each (stack, label set), ordered by them. */
export function averageExportRows(rows: ExportRows, levelMs: DurationMs): ExportRows {
  const order = Uint32Array.from({ length: rows.stackId.length }, (_, row) => row).sort(
    (a, b) => rows.stackId[a]! - rows.stackId[b]! || rows.labelSetRow[a]! - rows.labelSetRow[b]!,
  );
  const sums = { stackId: [] as number[], labelSetRow: [] as number[], value: [] as number[], count: [] as number[] };
  for (const row of order) {
    const last = sums.stackId.length - 1;
    if (last < 0 || sums.stackId[last] !== rows.stackId[row] || sums.labelSetRow[last] !== rows.labelSetRow[row]) {
      sums.stackId.push(rows.stackId[row]!);
      sums.labelSetRow.push(rows.labelSetRow[row]!);
      sums.value.push(rows.value[row]!);
      sums.count.push(rows.count[row]!);
    } else {
      sums.value[last]! += rows.value[row]!;
      sums.count[last]! += rows.count[row]!;
    }
  }
  // As the flame graph does it: samples without frames, which come first here, are rounded for themselves.
  const withFrames = sums.stackId.findIndex((stack) => stack !== NO_PARENT);
  const framed = withFrames < 0 ? sums.stackId.length : withFrames;
  const value = [
    ...averageOverTime(Float64Array.from(sums.value.slice(0, framed)), levelMs),
    ...averageOverTime(Float64Array.from(sums.value.slice(framed)), levelMs),
  ];
  return { ...rows, ...sums, value };
}

/** A profile with only the functions and stacks that occur: a dictionary holds those of every release. */
export function exportProfile(head: ProfileHead, rows: ExportRows): Profile {
  const builder = new ProfileBuilder(head);
  const builtRow = new Map<number, number>();
  const stackRow = (stackId: number): number => {
    // Upwards to the first ancestor that is there already, then down again: recursion overflows on deep stacks.
    const missing: number[] = [];
    let at = stackId;
    while (at !== NO_PARENT && !builtRow.has(at)) {
      missing.push(at);
      at = rows.stacks.parent[at]!;
    }
    let row = at === NO_PARENT ? NO_PARENT : builtRow.get(at)!;
    for (const stack of missing.reverse()) {
      const functionId = rows.stacks.functionRow[stack]!;
      const { name, package: packageName, file } = rows.functions;
      row = builder.stackRow(
        row,
        builder.functionRow({ name: name[functionId]!, package: packageName[functionId]!, file: file[functionId]! }),
      );
      builtRow.set(stack, row);
    }
    return row;
  };
  for (let row = 0; row < rows.stackId.length; row += 1) {
    const labelSetRow = builder.labelSetRow(rows.labelSets[rows.labelSetRow[row]!] ?? []);
    if (rows.value[row] !== 0) builder.addSample(stackRow(rows.stackId[row]!), labelSetRow, rows.value[row]!, rows.count[row]!);
  }
  return builder.build();
}
