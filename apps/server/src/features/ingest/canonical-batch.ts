import { canonicalFunction, FunctionInterner, NO_PARENT, PairInterner, StackInterner } from '@hearth/profile-model';
import type { EpochMs, FunctionKey, FunctionTable, LabelSet, ProfileTypeId, StackTable } from '@hearth/profile-model';
import type { Batch, BatchProcess, ProcessSeriesValue, TransactionCount } from '@hearth/wire-format';

/** Samples of one profile type as columns of one length, each (stack, label set) once. */
export interface CanonicalProfile {
  readonly typeId: ProfileTypeId;
  /** Row in the batch's stacks; `NO_PARENT` for samples without frames. */
  readonly sampleStack: Int32Array;
  /** Row in the batch's label sets. */
  readonly sampleLabelSet: Uint32Array;
  readonly sampleValue: Float64Array;
  readonly sampleCount: Float64Array;
}

/** A batch whose functions are named as they will be in the next release too: what of it is stored. */
export interface CanonicalBatch {
  readonly process: Omit<BatchProcess, 'rootDir'>;
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly durationMs: number;
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  readonly profiles: readonly CanonicalProfile[];
  readonly transactions: readonly TransactionCount[];
  readonly series: readonly ProcessSeriesValue[];
  readonly droppedBatches: number;
}

/** Functions that differ only in their line become one, and with them the stacks and samples that then are the same. Sums stay. */
export function canonicalBatch(batch: Batch): CanonicalBatch {
  const { rootDir, ...process } = batch.process;
  const functions = new FunctionInterner();
  const functionRows = new Uint32Array(batch.functions.length);
  const fileOf = rememberedFiles(rootDir);
  for (let row = 0; row < batch.functions.length; row += 1) {
    const file = fileOf(batch.functions.scriptName[row]!);
    functionRows[row] = functions.rowOf({ ...file, name: batch.functions.name[row]! || file.name });
  }
  const stacks = new StackInterner(batch.stacks.length);
  const stackRows = stacks.addAll(batch.stacks, functionRows);
  return {
    process,
    sequence: batch.sequence,
    startMs: batch.startMs,
    durationMs: batch.durationMs,
    functions: functions.table(),
    stacks: stacks.table(),
    labelSets: batch.labelSets,
    profiles: batch.profiles.map(({ typeId, ...columns }) => ({ typeId, ...mergeSamples(columns, stackRows) })),
    transactions: batch.transactions,
    series: batch.series,
    droppedBatches: batch.report.droppedBatches,
  };
}

/** Files that are remembered of all programs together; then they are forgotten. */
const REMEMBERED_FILES = 100_000;
const filesByRoot = new Map<string, Map<string, FunctionKey>>();
let rememberedCount = 0;

/** `canonicalFunction` of a nameless function of a script. A process sends the same few hundred scripts every ten seconds. */
function rememberedFiles(rootDir: string): (scriptName: string) => FunctionKey {
  if (rememberedCount > REMEMBERED_FILES) {
    filesByRoot.clear();
    rememberedCount = 0;
  }
  const files = filesByRoot.get(rootDir) ?? new Map<string, FunctionKey>();
  filesByRoot.set(rootDir, files);
  return (scriptName) => {
    let file = files.get(scriptName);
    if (file === undefined) {
      file = canonicalFunction({ name: '', scriptName }, rootDir);
      files.set(scriptName, file);
      rememberedCount += 1;
    }
    return file;
  };
}

type SampleColumns = Omit<CanonicalProfile, 'typeId'>;

/** @param stackRows - New row of each stack row. */
export function mergeSamples(
  { sampleStack, sampleLabelSet, sampleValue, sampleCount }: SampleColumns,
  stackRows: Int32Array,
): SampleColumns {
  const pairs = new PairInterner(sampleStack.length);
  const value = new Float64Array(sampleStack.length);
  const count = new Float64Array(sampleStack.length);
  for (let row = 0; row < sampleStack.length; row += 1) {
    const stack = sampleStack[row]!;
    const merged = pairs.rowOf(stack === NO_PARENT ? NO_PARENT : stackRows[stack]!, sampleLabelSet[row]!);
    value[merged]! += sampleValue[row]!;
    count[merged]! += sampleCount[row]!;
  }
  const { first, second } = pairs.columns();
  return {
    sampleStack: first,
    sampleLabelSet: Uint32Array.from(second),
    sampleValue: value.slice(0, pairs.length),
    sampleCount: count.slice(0, pairs.length),
  };
}
