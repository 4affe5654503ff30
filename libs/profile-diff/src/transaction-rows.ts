import type { CanonicalSide } from './compared-side.js';
import type { Change, MixSplit, TransactionRow } from './comparison-result.js';
import type { JudgedPair } from './function-rows.js';
import { splitMix } from './mix-split.js';
import type { SideFlow } from './mix-split.js';
import { ROOT } from './rates.js';
import { OUTSIDE } from './work-plan.js';
import type { WorkPlan } from './work-plan.js';
import { unjudgedChange } from './verdicts.js';

/** Sums of one side by transaction. */
export interface TransactionTotals {
  readonly value: Float64Array;
  readonly samples: Float64Array;
  readonly count: Float64Array;
  readonly errors: Float64Array;
  readonly durationMicros: Float64Array;
  /** Value and samples in no transaction. */
  readonly outsideValue: number;
  readonly seconds: number;
}

/** @param isWork - Whether a sample of this stack is work; idle time is not. */
export function transactionTotals(
  { samples, counts, processes }: CanonicalSide,
  transactionCount: number,
  isWork: (stack: number) => boolean,
): TransactionTotals {
  const columns = () => new Float64Array(transactionCount);
  const totals = { value: columns(), samples: columns(), count: columns(), errors: columns(), durationMicros: columns() };
  let outsideValue = 0;
  samples.transaction.forEach((row, at) => {
    if (!isWork(samples.stack[at]!)) return;
    if (row === OUTSIDE) {
      outsideValue += samples.value[at]!;
      return;
    }
    totals.value[row]! += samples.value[at]!;
    totals.samples[row]! += samples.count[at]!;
  });
  counts.transaction.forEach((row, at) => {
    totals.count[row]! += counts.count[at]!;
    totals.errors[row]! += counts.errors[at]!;
    totals.durationMicros[row]! += counts.durationSumMicros[at]!;
  });
  const seconds = processes.reduce((sum, process) => sum + process.seconds, 0);
  return { ...totals, outsideValue, seconds };
}

export interface TransactionRowsInput {
  readonly transactions: readonly string[];
  readonly plan: WorkPlan;
  readonly judged: readonly JudgedPair[];
  readonly baseline: TransactionTotals;
  readonly candidate: TransactionTotals;
}

/** Every counted transaction, the most expensive first, and how the service's change splits over them. */
export function transactionRows({ transactions, plan, judged, baseline, candidate }: TransactionRowsInput): {
  rows: TransactionRow[];
  mix: MixSplit;
} {
  // Sorted, so that sums do not depend on the order in which names were met.
  const order = transactions.map((_, row) => row).sort((a, b) => (transactions[a]! < transactions[b]! ? -1 : 1));
  const { split, parts } = splitMix(flowOf(baseline, order, candidate), flowOf(candidate, order, baseline));
  const changeOfKind = new Map(
    judged.filter(({ pair }) => pair.functionId === ROOT).map(({ pair, change }) => [pair.scope, change]),
  );
  const rows = order.flatMap((row, at): TransactionRow[] => {
    const counts = [baseline.count[row]!, candidate.count[row]!] as const;
    if (counts[0] === 0 && counts[1] === 0) return [];
    const status = counts[0] === 0 ? 'new' : counts[1] === 0 ? 'gone' : 'both';
    const tested = status === 'both' ? changeOfKind.get(plan.kindOfTransaction[row]!) : undefined;
    return [
      {
        transaction: transactions[row]!,
        status,
        baselineCount: counts[0],
        candidateCount: counts[1],
        change: tested ?? untestedChange(baseline, candidate, row, status),
        ...parts[at]!,
        baselineDurationMicros: meanDuration(baseline, row),
        candidateDurationMicros: meanDuration(candidate, row),
      },
    ];
  });
  const costOf = (row: TransactionRow): number =>
    row.change.baseline * row.baselineCount + row.change.candidate * row.candidateCount;
  rows.sort((a, b) => costOf(b) - costOf(a) || (a.transaction < b.transaction ? -1 : 1));
  return { rows, mix: split };
}

/** Figures per process-second; per side as a whole where no process tells its time. */
function flowOf(totals: TransactionTotals, order: readonly number[], other: TransactionTotals): SideFlow {
  const perSecond = totals.seconds > 0 && other.seconds > 0 ? 1 / totals.seconds : 1;
  const isCounted = (row: number): boolean => totals.count[row]! > 0 || other.count[row]! > 0;
  let background = totals.outsideValue;
  for (const row of order) if (!isCounted(row)) background += totals.value[row]!;
  return {
    value: order.map((row) => (isCounted(row) ? totals.value[row]! * perSecond : 0)),
    count: order.map((row) => totals.count[row]! * perSecond),
    background: background * perSecond,
  };
}

function untestedChange(
  baseline: TransactionTotals,
  candidate: TransactionTotals,
  row: number,
  status: TransactionRow['status'],
): Change {
  const side = ({ value, count, samples }: TransactionTotals) => ({
    rate: count[row]! > 0 ? value[row]! / count[row]! : 0,
    samples: samples[row]!,
    expectedSamples: 0,
    share: new Float64Array(0),
    deviation: new Float64Array(0),
    countingPerSample: new Float64Array(0),
  });
  // That it is new or gone is its status; there is nothing to compare it with.
  return unjudgedChange(
    { baseline: side(baseline), candidate: side(candidate) },
    status === 'both' ? 'NOT_ENOUGH_DATA' : 'NO_VERDICT',
  );
}

function meanDuration({ durationMicros, count }: TransactionTotals, row: number): number | null {
  return count[row]! > 0 ? durationMicros[row]! / count[row]! : null;
}
