/**
 * How many samples carry the wrong transaction, or none, when 50 asynchronous transactions of 3 kinds run at once. The truth is in
 * the stack: every busy section runs in a function named after its kind. Peers: both labelling calls of @pyroscope/nodejs.
 */
import { functionsRootFirst, labelValue, type LabelSet, type StackTable } from '@hearth/profile-model';
import { Collector } from './agent/collector.js';
import { printFigures, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';

interface Checked {
  checked: number;
  wrong: number;
  unlabelled: number;
}

const hearth = await checkSamples('hearth', 75);
const wrap = await checkSamples('pyroscope-wrap', 20);
const set = await checkSamples('pyroscope-set', 20);
printFigures({
  node: process.versions.node,
  checked_samples: hearth.checked,
  wrong_pct: percent(hearth.wrong, hearth.checked),
  unlabelled_pct: percent(hearth.unlabelled, hearth.checked),
  pyroscope_wrap_checked_samples: wrap.checked,
  pyroscope_wrap_wrong_pct: percent(wrap.wrong, wrap.checked),
  pyroscope_wrap_unlabelled_pct: percent(wrap.unlabelled, wrap.checked),
  pyroscope_set_checked_samples: set.checked,
  pyroscope_set_wrong_pct: percent(set.wrong, set.checked),
  pyroscope_set_unlabelled_pct: percent(set.unlabelled, set.checked),
});

async function checkSamples(who: string, seconds: number): Promise<Checked> {
  const collector = await new Collector().open();
  await runProgram('attribution-host.ts', [who, collector.url, String(seconds)]);
  const checked = { checked: 0, wrong: 0, unlabelled: 0 };
  for (const { stacks, functions, labelSets, profiles } of collector.batches) {
    const wall = profiles.find(({ typeId }) => typeId.startsWith('wall:'))!;
    wall.sampleStack.forEach((stack, at) =>
      check(checked, namesOf(stacks, functions.name, stack), labelSets[wall.sampleLabelSet[at]!]!, wall.sampleCount[at]!),
    );
  }
  for (const { type, stacks, functions, labelSets, sampleStack, sampleLabelSet, sampleValue } of collector.profiles) {
    if (type.sampleType !== 'samples' && type.sampleType !== 'sample') continue; // the value type that counts
    sampleStack.forEach((stack, at) =>
      check(checked, namesOf(stacks, functions.name, stack), labelSets[sampleLabelSet[at]!]!, sampleValue[at]!),
    );
  }
  await collector.close();
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

function percent(part: number, whole: number): number {
  return round((part / whole) * 100, 2);
}
