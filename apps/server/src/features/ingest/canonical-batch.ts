import { canonicalFunction, RememberedFunctions } from '@hearth/profile-model';
import type { EpochMs, FunctionTable, LabelSet, LineCosts, ProfileTypeId, StackTable } from '@hearth/profile-model';
import type { FunctionPlaces } from '../source-maps/index.js';
import type { AgentReport, Batch, BatchProcess, Exemplar, ProcessSeriesValue, TransactionCount } from '@hearth/wire-format';

/** Samples of one profile type as columns of one length. */
export interface CanonicalProfile {
  readonly typeId: ProfileTypeId;
  /** Row in the batch's stacks; `NO_PARENT` for samples without frames. */
  readonly sampleStack: Int32Array;
  /** Row in the batch's label sets. */
  readonly sampleLabelSet: Uint32Array;
  readonly sampleValue: Float64Array;
  readonly sampleCount: Float64Array;
  /** `undefined`: the lines that ran were not recorded. */
  readonly lineCosts?: LineCosts | undefined;
}

/** A batch whose functions are named as they will be in the next release too: what of it is stored. */
export interface CanonicalBatch {
  readonly process: Omit<BatchProcess, 'rootDir'>;
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly durationMs: number;
  /** Functions that differed only in their line are the same now, in rows of their own: the dictionary makes them, their stacks and samples one. */
  readonly functions: FunctionTable;
  /** Of the same rows, as they were sent. */
  readonly places: FunctionPlaces;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  readonly profiles: readonly CanonicalProfile[];
  readonly transactions: readonly TransactionCount[];
  readonly series: readonly ProcessSeriesValue[];
  readonly report: AgentReport;
  readonly exemplars: readonly Exemplar[];
}

/** Without what lines cost: `withRecordedLines` adds it. */
export function canonicalBatch(batch: Batch): CanonicalBatch {
  const { rootDir, ...process } = batch.process;
  return {
    process,
    sequence: batch.sequence,
    startMs: batch.startMs,
    durationMs: batch.durationMs,
    functions: canonicalFunctions(batch.functions, rootDir),
    places: { line: batch.functions.line, column: batch.functions.column },
    stacks: batch.stacks,
    labelSets: batch.labelSets,
    profiles: batch.profiles,
    transactions: batch.transactions,
    series: batch.series,
    report: batch.report,
    exemplars: batch.exemplars,
  };
}

const remembered = new RememberedFunctions((name, scriptName, rootDir) => canonicalFunction({ name, scriptName }, rootDir));

function canonicalFunctions({ length, name, scriptName }: Batch['functions'], rootDir: string): FunctionTable {
  const functionOf = remembered.of(rootDir);
  const functions = { length, name: [] as string[], package: [] as string[], file: [] as string[] };
  for (let row = 0; row < length; row += 1) {
    const key = functionOf(name[row]!, scriptName[row]!);
    functions.name.push(key.name);
    functions.package.push(key.package);
    functions.file.push(key.file);
  }
  return functions;
}
