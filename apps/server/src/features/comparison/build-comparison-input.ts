import type { EpochMs, FunctionTable, StackTable, TimeRange } from '@hearth/profile-model';
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
  readonly processes: readonly SelectedProcess[];
  readonly samples: SampleRows;
  readonly counts: readonly CountRow[];
}

/** All of one comparison, cheap to hand to another thread: the stacks may lie in shared memory. */
export interface ComparisonRows {
  readonly unit: string;
  readonly kind: 'flow' | 'level';
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly transactions: readonly string[];
  readonly baseline: SideRows;
  readonly candidate: SideRows;
}

/**
 * Bring rows into the one order in which a comparison reads them, whatever order the store gave them in: the same data
 * gives the same bytes. Processes are ordered by their id, samples by (process, window, transaction, stack).
 */
export function buildComparisonInput({ unit, kind, functions, stacks, ...rows }: ComparisonRows): ComparisonInput {
  const { transactions, rowOf: transactionRow } = usedTransactions(rows.transactions, [rows.baseline, rows.candidate]);
  return {
    unit,
    kind,
    functions,
    stacks,
    transactions,
    baseline: buildSide(rows.baseline, kind, transactionRow),
    candidate: buildSide(rows.candidate, kind, transactionRow),
  };
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

function buildSide(side: SideRows, kind: 'flow' | 'level', transactionRow: ReadonlyMap<number, number>): ComparisonSide {
  // Code units, not the locale: the order must be the same on every machine.
  const processes = [...side.processes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rowOfProcess = new Map(processes.map((process, row) => [process.processId, row]));
  return {
    fromMs: side.fromMs,
    untilMs: side.untilMs,
    processes: processes.map(({ processId: _processId, ...process }) => process),
    samples: buildSamples(side.samples, rowOfProcess, transactionRow, (row) =>
      kind === 'level' ? 1 / (processes[row]!.seconds * 1000) : 1,
    ),
    counts: buildCounts(side.counts, rowOfProcess, transactionRow),
  };
}

function buildSamples(
  samples: SampleRows,
  rowOfProcess: ReadonlyMap<number, number>,
  transactionRow: ReadonlyMap<number, number>,
  factorOf: (processRow: number) => number,
): ComparisonSide['samples'] {
  const length = samples.processId.length;
  const transaction = Int32Array.from(samples.group, (group) => transactionRow.get(group) ?? -1);
  const processRow = Uint32Array.from({ length }, (_, row) => rowOf(rowOfProcess, samples.processId[row]!));
  const order = Uint32Array.from({ length }, (_, row) => row).sort(
    (a, b) =>
      processRow[a]! - processRow[b]! ||
      samples.windowStartMs[a]! - samples.windowStartMs[b]! ||
      transaction[a]! - transaction[b]! ||
      samples.stackId[a]! - samples.stackId[b]!,
  );
  const built = {
    process: new Uint32Array(length),
    windowStartMs: new Float64Array(length),
    transaction: new Int32Array(length),
    stack: new Int32Array(length),
    value: new Float64Array(length),
    count: new Float64Array(length),
  };
  let used = -1;
  for (const row of order) {
    const isSame =
      used >= 0 &&
      built.process[used] === processRow[row] &&
      built.windowStartMs[used] === samples.windowStartMs[row] &&
      built.transaction[used] === transaction[row] &&
      built.stack[used] === samples.stackId[row];
    if (!isSame) {
      used += 1;
      built.process[used] = processRow[row]!;
      built.windowStartMs[used] = samples.windowStartMs[row]!;
      built.transaction[used] = transaction[row]!;
      built.stack[used] = samples.stackId[row]!;
    }
    built.value[used]! += samples.value[row]!;
    built.count[used]! += samples.count[row]!;
  }
  // Only now: sums of whole numbers are exact in any order, sums of fractions are not.
  for (let row = 0; row <= used; row += 1) built.value[row]! *= factorOf(built.process[row]!);
  return {
    process: built.process.subarray(0, used + 1),
    windowStartMs: built.windowStartMs.subarray(0, used + 1),
    transaction: built.transaction.subarray(0, used + 1),
    stack: built.stack.subarray(0, used + 1),
    value: built.value.subarray(0, used + 1),
    count: built.count.subarray(0, used + 1),
  };
}

function buildCounts(
  counts: readonly CountRow[],
  rowOfProcess: ReadonlyMap<number, number>,
  transactionRow: ReadonlyMap<number, number>,
): ComparisonSide['counts'] {
  const sorted = counts
    .map((row) => ({ ...row, process: rowOf(rowOfProcess, row.processId), transaction: transactionRow.get(row.transaction)! }))
    .sort((a, b) => a.process - b.process || a.windowStartMs - b.windowStartMs || a.transaction - b.transaction);
  const merged: typeof sorted = [];
  for (const row of sorted) {
    const last = merged.at(-1);
    if (last?.process === row.process && last.windowStartMs === row.windowStartMs && last.transaction === row.transaction) {
      merged[merged.length - 1] = {
        ...last,
        count: last.count + row.count,
        errors: last.errors + row.errors,
        durationSumMicros: last.durationSumMicros + row.durationSumMicros,
      };
    } else merged.push(row);
  }
  return {
    process: Uint32Array.from(merged, (row) => row.process),
    windowStartMs: Float64Array.from(merged, (row) => row.windowStartMs),
    transaction: Uint32Array.from(merged, (row) => row.transaction),
    count: Float64Array.from(merged, (row) => row.count),
    errors: Float64Array.from(merged, (row) => row.errors),
    durationSumMicros: Float64Array.from(merged, (row) => row.durationSumMicros),
  };
}

function rowOf(rowOfProcess: ReadonlyMap<number, number>, processId: number): number {
  const row = rowOfProcess.get(processId);
  if (row === undefined) throw new Error(`samples name process ${processId}, which is not among the selected processes`);
  return row;
}
