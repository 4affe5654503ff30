import {
  FunctionInterner,
  NO_PARENT,
  StackInterner,
  TRANSACTION_LABEL,
  canonicalFunction,
  labelSet,
  labelSetKey,
  labelValue,
  parseProfileTypeId,
  profileTypeKind,
  type FunctionTable,
  type LabelSet,
  type ProfileTypeId,
  type ProfileTypeKind,
  type StackTable,
} from '@hearth/profile-model';
import type { BatchProfile, ProcessSeriesValue, TransactionCount } from '@hearth/wire-format';
import { readCorpus, type Recording } from '../corpus/corpus-file.js';

/** Everything that was recorded of one program, over one set of tables: what flushes are drawn from. */
export interface Population {
  readonly program: string;
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly labelSets: readonly LabelSet[];
  readonly periods: readonly RecordedPeriod[];
}

/** What one process did in ten seconds. */
export interface RecordedPeriod {
  readonly profiles: readonly RecordedColumns[];
  /** Label sets are rows of the population. */
  readonly transactions: readonly TransactionCount[];
  readonly series: readonly ProcessSeriesValue[];
}

/** One profile as columns of one length, and the running sum of its counts to draw samples by. */
export interface RecordedColumns {
  readonly typeId: ProfileTypeId;
  readonly kind: ProfileTypeKind;
  /** Row in the population's stacks; `NO_PARENT`: a sample without frames. */
  readonly stack: Int32Array;
  /** Row in the population's label sets. */
  readonly labelSet: Uint32Array;
  readonly value: Float64Array;
  readonly count: Float64Array;
  readonly countsUntil: Float64Array;
}

/** Shorter periods are the ends of processes. */
const MIN_PERIOD_MS = 5_000;

/** One population of each program in bench/corpus. */
export function readPopulations(): Population[] {
  return readCorpus().map(populationOf);
}

/**
 * Compilers and linters run no transactions: every ten seconds of theirs become a job of its own kind, as in a service that
 * runs them for others. Requests of servers stay as they were recorded.
 */
function populationOf({ program, batches }: Recording): Population {
  const functions = new FunctionInterner();
  const stacks = new StackInterner();
  const labelRows = new Map<string, number>();
  const labelSets: LabelSet[] = [];
  const labelRow = (labels: LabelSet): number => {
    const key = labelSetKey(labels);
    const known = labelRows.get(key);
    if (known !== undefined) return known;
    labelRows.set(key, labelSets.length);
    return labelSets.push(labels) - 1;
  };
  const hasTransactions = batches.some(({ transactions }) => transactions.length > 0);
  const periods = batches
    .filter(({ durationMs }) => durationMs >= MIN_PERIOD_MS)
    .map((batch, at): RecordedPeriod => {
      const functionRows = Uint32Array.from({ length: batch.functions.length }, (_, row) => {
        const file = canonicalFunction({ name: '', scriptName: batch.functions.scriptName[row]! }, batch.process.rootDir);
        return functions.rowOf({ ...file, name: batch.functions.name[row]! || file.name });
      });
      const stackRows = stacks.addAll(batch.stacks, functionRows);
      const job = labelSet({ [TRANSACTION_LABEL]: `job ${program} ${at + 1}` });
      const rowOfLabels = batch.labelSets.map((labels) =>
        labelRow(hasTransactions || labelValue(labels, TRANSACTION_LABEL) !== undefined ? labels : job),
      );
      return {
        profiles: batch.profiles
          .filter(({ sampleStack }) => sampleStack.length > 0)
          .map((one) => columnsOf(one, stackRows, rowOfLabels)),
        transactions: hasTransactions
          ? batch.transactions.map((one) => ({ ...one, labelSet: rowOfLabels[one.labelSet]! }))
          : [oneJob(labelRow(job), batch.durationMs)],
        series: batch.series,
      };
    })
    .filter(({ profiles }) => profiles.length > 0);
  return { program, functions: functions.table(), stacks: stacks.table(), labelSets, periods };
}

function columnsOf(
  { typeId, sampleStack, sampleLabelSet, sampleValue, sampleCount }: BatchProfile,
  stackRows: Int32Array,
  rowOfLabels: readonly number[],
): RecordedColumns {
  let sum = 0;
  return {
    typeId,
    kind: profileTypeKind(parseProfileTypeId(typeId)),
    stack: sampleStack.map((row) => (row === NO_PARENT ? NO_PARENT : stackRows[row]!)),
    labelSet: sampleLabelSet.map((row) => rowOfLabels[row]!),
    value: sampleValue,
    count: sampleCount,
    countsUntil: sampleCount.map((count) => (sum += count)),
  };
}

function oneJob(labelSetRow: number, durationMs: number): TransactionCount {
  return {
    labelSet: labelSetRow,
    kind: 'custom',
    outcome: 'ok',
    count: 1,
    durationSumMicros: durationMs * 1_000,
    sketchBucket: Int32Array.of(400),
    sketchCount: Float64Array.of(1),
  };
}
