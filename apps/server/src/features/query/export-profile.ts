import type { FunctionTable, LabelSet, Profile, ProfileHead, StackTable } from '@hearth/profile-model';
import { NO_PARENT, ProfileBuilder } from '@hearth/profile-model';

/** Values of a selection over the dictionary of its service; columns of one length. */
export interface ExportRows {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: ReadonlyMap<number, LabelSet>;
  /** Row in `stacks`; `NO_PARENT` for samples without frames. */
  readonly stackId: ArrayLike<number>;
  readonly labelSetId: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly count: ArrayLike<number>;
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
      row = builder.stackRow(row, builder.functionRow({ name: name[functionId]!, package: packageName[functionId]!, file: file[functionId]! }));
      builtRow.set(stack, row);
    }
    return row;
  };
  for (let row = 0; row < rows.stackId.length; row += 1) {
    const labelSetRow = builder.labelSetRow(rows.labelSets.get(rows.labelSetId[row]!) ?? []);
    if (rows.value[row] !== 0) builder.addSample(stackRow(rows.stackId[row]!), labelSetRow, rows.value[row]!, rows.count[row]!);
  }
  return builder.build();
}
