import {
  FunctionInterner,
  joinStacks,
  NO_PARENT,
  type EpochMs,
  type FunctionTable,
  type StackTable,
  type TimeRange,
} from '@hearth/profile-model';
import { foldMinified } from './fold-minified.js';
import type { ComparedProcess, ComparisonInput, ComparisonSide } from '@hearth/profile-diff';

/** A process as the catalog knows it, with the time it was profiled within the selection. */
export interface SelectedProcess extends ComparedProcess {
  /** Number of the process in the catalog: what the rows below name. */
  readonly processId: number;
}

/** What the cover gives, in any order; columns of one length. */
export interface SampleRows {
  readonly processId: ArrayLike<number>;
  readonly windowStartMs: ArrayLike<number>;
  /** Row in the list of transactions; −1: in none. */
  readonly group: ArrayLike<number>;
  /** Row in the stacks of the side; −1: a sample without frames. */
  readonly stackId: ArrayLike<number>;
  /** Levels: value x milliseconds. */
  readonly value: ArrayLike<number>;
  readonly count: ArrayLike<number>;
}

/** Transactions that finished, in any order. */
export interface CountRow {
  readonly processId: number;
  readonly windowStartMs: EpochMs;
  /** Row in the list of transactions. */
  readonly transaction: number;
  readonly count: number;
  readonly errors: number;
  readonly durationSumMicros: number;
}

export interface SideRows extends TimeRange {
  /** Of this side: of other months than the other's they are other rows. */
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly processes: readonly SelectedProcess[];
  readonly samples: SampleRows;
  readonly counts: readonly CountRow[];
}

/** All of one comparison, cheap to hand to another thread: the stacks may lie in shared memory. */
export interface ComparisonRows {
  readonly unit: string;
  readonly kind: 'flow' | 'level';
  readonly transactions: readonly string[];
  /** Set where the counts of both sides were left out: see `withoutPartialCounts`. */
  readonly countedSinceMs?: EpochMs;
  /** Of the program, that came minified on either side. */
  readonly minifiedFiles?: readonly string[];
  readonly baseline: SideRows;
  readonly candidate: SideRows;
}

/**
 * Put the rows of both sides over one list of processes and transactions, and over one tree of the stacks that occur.
 *
 * `compare` brings samples into an order of its own, so the same data gives the same bytes however the store gave it. Levels are summed
 * here before they are divided: sums of whole numbers are exact in any order, sums of fractions are not.
 */
export function buildComparisonInput(rows: ComparisonRows): ComparisonInput {
  const { unit, kind, transactions: names, countedSinceMs, minifiedFiles = [] } = rows;
  const minified = new Set(minifiedFiles);
  const folded = (side: SideRows): SideRows => ({ ...side, functions: foldMinified(side.functions, minified) });
  const [baseline, candidate] = [folded(rows.baseline), folded(rows.candidate)];
  const { transactions, rowOf: transactionRow } = usedTransactions(names, [baseline, candidate]);
  const { functions, stacks, rowOf } = joinSides([baseline, candidate]);
  return {
    unit,
    kind,
    functions,
    stacks,
    transactions,
    ...(countedSinceMs !== undefined && { countedSinceMs }),
    ...(minifiedFiles.length > 0 && { minifiedFiles }),
    baseline: buildSide(baseline, kind, transactionRow, rowOf[0]!),
    candidate: buildSide(candidate, kind, transactionRow, rowOf[1]!),
  };
}

function joinSides(sides: readonly SideRows[]): Pick<ComparisonInput, 'functions' | 'stacks'> & { rowOf: readonly Int32Array[] } {
  const functions = new FunctionInterner();
  const joined = joinStacks(
    sides.map((side) => {
      const isWanted = new Uint8Array(side.stacks.length);
      for (let row = 0; row < side.samples.stackId.length; row += 1) {
        const stack = side.samples.stackId[row]!;
        if (stack !== NO_PARENT) isWanted[stack] = 1;
      }
      return { stacks: side.stacks, functionRow: functions.addAll(side.functions), isWanted };
    }),
  );
  return { functions: functions.table(), ...joined };
}

/** Only what occurs on a side, so that a transaction that another release adds does not change an older answer. */
function usedTransactions(
  names: readonly string[],
  sides: readonly SideRows[],
): { transactions: string[]; rowOf: ReadonlyMap<number, number> } {
  const used = new Set<number>();
  for (const { samples, counts } of sides) {
    for (let row = 0; row < samples.group.length; row += 1) if (samples.group[row]! >= 0) used.add(samples.group[row]!);
    for (const { transaction } of counts) used.add(transaction);
  }
  const sorted = [...used].sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
  return { transactions: sorted.map((row) => names[row]!), rowOf: new Map(sorted.map((row, usedRow) => [row, usedRow])) };
}

function buildSide(
  side: SideRows,
  kind: 'flow' | 'level',
  transactionRow: ReadonlyMap<number, number>,
  stackRow: Int32Array,
): ComparisonSide {
  const rowOfProcess = new Map(side.processes.map((process, row) => [process.processId, row]));
  const samples: ComparisonSide['samples'] = {
    process: Uint32Array.from(side.samples.processId, (processId) => rowOf(rowOfProcess, processId)),
    windowStartMs: Float64Array.from(side.samples.windowStartMs),
    transaction: Int32Array.from(side.samples.group, (group) => transactionRow.get(group) ?? -1),
    stack: Int32Array.from(side.samples.stackId, (stack) => (stack === NO_PARENT ? stack : stackRow[stack]!)),
    value: Float64Array.from(side.samples.value),
    count: Float64Array.from(side.samples.count),
  };
  return {
    fromMs: side.fromMs,
    untilMs: side.untilMs,
    processes: side.processes.map(({ processId: _processId, ...process }) => process),
    samples: kind === 'level' ? averageLevels(samples, side.processes) : samples,
    counts: buildCounts(side.counts, rowOfProcess, transactionRow),
  };
}

/** Sums equal rows, then divides by the time their process was profiled. */
function averageLevels(samples: ComparisonSide['samples'], processes: readonly SelectedProcess[]): ComparisonSide['samples'] {
  const { process, windowStartMs, transaction, stack, value, count } = samples;
  const firstOf = new Map<string, number>();
  const sums = { value: Float64Array.from(value), count: Float64Array.from(count) };
  for (let row = 0; row < process.length; row += 1) {
    const key = `${process[row]}.${windowStartMs[row]}.${transaction[row]}.${stack[row]}`;
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, row);
    else {
      sums.value[first]! += value[row]!;
      sums.count[first]! += count[row]!;
    }
  }
  const kept = Uint32Array.from(firstOf.values());
  return {
    process: Uint32Array.from(kept, (row) => process[row]!),
    windowStartMs: Float64Array.from(kept, (row) => windowStartMs[row]!),
    transaction: Int32Array.from(kept, (row) => transaction[row]!),
    stack: Int32Array.from(kept, (row) => stack[row]!),
    value: Float64Array.from(kept, (row) => sums.value[row]! / (processes[process[row]!]!.seconds * 1000)),
    count: Float64Array.from(kept, (row) => sums.count[row]!),
  };
}

function buildCounts(
  counts: readonly CountRow[],
  rowOfProcess: ReadonlyMap<number, number>,
  transactionRow: ReadonlyMap<number, number>,
): ComparisonSide['counts'] {
  return {
    process: Uint32Array.from(counts, (row) => rowOf(rowOfProcess, row.processId)),
    windowStartMs: Float64Array.from(counts, (row) => row.windowStartMs),
    transaction: Uint32Array.from(counts, (row) => transactionRow.get(row.transaction)!),
    count: Float64Array.from(counts, (row) => row.count),
    errors: Float64Array.from(counts, (row) => row.errors),
    durationSumMicros: Float64Array.from(counts, (row) => row.durationSumMicros),
  };
}

function rowOf(rowOfProcess: ReadonlyMap<number, number>, processId: number): number {
  const row = rowOfProcess.get(processId);
  if (row === undefined) throw new Error(`samples name process ${processId}, which is not among the selected processes`);
  return row;
}
