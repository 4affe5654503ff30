import { functionsRootFirst, labelValue, type LabelSet, type StackTable } from '@hearth/profile-model';
import type { Collector } from './collector.js';

/** Samples whose truth is in their stack, because they were taken in a function named after their transaction. */
export interface Checked {
  checked: number;
  wrong: number;
  unlabelled: number;
}

export function checkAttribution({ batches, profiles }: Collector): Checked {
  const checked = { checked: 0, wrong: 0, unlabelled: 0 };
  for (const batch of batches) {
    const { stacks, functions, labelSets } = batch;
    const wall = batch.profiles.find(({ typeId }) => typeId.startsWith('wall:'))!;
    wall.sampleStack.forEach((stack, at) =>
      check(checked, namesOf(stacks, functions.name, stack), labelSets[wall.sampleLabelSet[at]!]!, wall.sampleCount[at]!),
    );
  }
  for (const { type, stacks, functions, labelSets, sampleStack, sampleLabelSet, sampleValue } of profiles) {
    if (type.sampleType !== 'samples' && type.sampleType !== 'sample') continue; // the value type that counts
    sampleStack.forEach((stack, at) =>
      check(checked, namesOf(stacks, functions.name, stack), labelSets[sampleLabelSet[at]!]!, sampleValue[at]!),
    );
  }
  return checked;
}

function check(checked: Checked, names: readonly string[], labels: LabelSet, count: number): void {
  const truth = names.map((name) => /(alpha|beta|gamma)Work$/.exec(name)?.[1]).find((kind) => kind !== undefined);
  if (truth === undefined) return;
  const said = labelValue(labels, 'transaction');
  checked.checked += count;
  if (said === undefined) checked.unlabelled += count;
  else if (said !== truth) checked.wrong += count;
}

function namesOf(stacks: StackTable, names: readonly string[], stack: number): string[] {
  return functionsRootFirst(stacks, stack).map((functionRow) => names[functionRow]!);
}
