import type { CanonicalSide } from './compared-side.js';
import { NO_TRANSACTION } from './comparison-result.js';
import type { ComparisonBasis } from './comparison-result.js';
import type { ReplicatePlan, Replicates } from './replicates.js';

/** Row in the transaction list of the input, `-1` for work in no transaction. */
export type TransactionIndex = number;

/** Units of work that one side did: transactions of one name, process-seconds, or what TMM says is comparable. */
export interface WorkDone {
  readonly total: number;
  /** By replicate. */
  readonly byReplicate: Float64Array;
}

/** One kind of work. What a function costs per unit of it is compared; `weight` units of it are in one unit of the whole. */
export interface WorkKind {
  /** `null`: all work is of this one kind. */
  readonly transaction: string | null;
  readonly weight: number;
  readonly baseline: WorkDone;
  readonly candidate: WorkDone;
}

/**
 * How samples become costs per unit of work. With transactions, the unit of the whole is the average transaction of both
 * sides (fixed weights), together with a fixed amount of time for what belongs to no transaction: neither a shift of
 * traffic nor a drop of it changes a cost then.
 */
export interface WorkPlan {
  readonly basis: ComparisonBasis;
  readonly kinds: readonly WorkKind[];
  /** Row in `kinds` of each transaction, and of work in none; -1: on one side only, not compared. */
  readonly kindOfTransaction: Int32Array;
  readonly kindOutside: number;
}

export interface WorkPlanInput {
  readonly kind: 'flow' | 'level';
  readonly transactions: readonly string[];
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
  readonly replicates: ReplicatePlan;
  /** Value of each replicate, and the factor of `compositionFactor`: only for a comparison without transactions. */
  readonly scaling: () => { baseline: Float64Array; candidate: Float64Array; compositionFactor: number };
}

export const OUTSIDE: TransactionIndex = -1;

/** Row in `plan.kinds` of the work that a sample belongs to; -1: not compared. */
export function kindOfTransaction(plan: WorkPlan, transaction: TransactionIndex): number {
  return transaction === OUTSIDE ? plan.kindOutside : plan.kindOfTransaction[transaction]!;
}

export function planWork(input: WorkPlanInput): WorkPlan {
  const { transactions, replicates, baseline, candidate } = input;
  const whole = (basis: ComparisonBasis, done: Pick<WorkKind, 'baseline' | 'candidate'>): WorkPlan => ({
    basis,
    kinds: [{ transaction: null, weight: 1, ...done }],
    kindOfTransaction: new Int32Array(transactions.length),
    kindOutside: 0,
  });
  if (input.kind === 'level') {
    return whole('per-process', {
      baseline: processesDone(baseline, replicates.baseline),
      candidate: processesDone(candidate, replicates.candidate),
    });
  }

  const before = transactionsDone(baseline, replicates.baseline, transactions.length);
  const after = transactionsDone(candidate, replicates.candidate, transactions.length);
  const counted = transactions.map((_, row) => row).filter((row) => before[row]!.total > 0 || after[row]!.total > 0);
  if (counted.length === 0) return whole('tmm', scaledDone(input));

  // A name that is counted nowhere (a client that labels but does not count) is work outside transactions.
  const kindOfTransaction = new Int32Array(transactions.length).fill(-1);
  const compared = counted
    .filter((row) => before[row]!.total > 0 && after[row]!.total > 0)
    .sort((a, b) => (transactions[a]! < transactions[b]! ? -1 : 1));
  const outside = compared.length;
  transactions.forEach((_, row) => {
    if (before[row]!.total === 0 && after[row]!.total === 0) kindOfTransaction[row] = outside;
  });
  compared.forEach((row, kind) => (kindOfTransaction[row] = kind));

  const transactionsBefore = sum(compared.map((row) => before[row]!.total));
  const transactionsAfter = sum(compared.map((row) => after[row]!.total));
  const secondsBefore = secondsDone(replicates.baseline);
  const secondsAfter = secondsDone(replicates.candidate);
  const kinds = compared.map((row) => ({
    transaction: transactions[row]!,
    weight: (before[row]!.total / transactionsBefore + after[row]!.total / transactionsAfter) / 2,
    baseline: before[row]!,
    candidate: after[row]!,
  }));
  const secondsPerTransaction = (secondsBefore.total / transactionsBefore + secondsAfter.total / transactionsAfter) / 2;
  return {
    basis: compared.length > 0 ? 'per-transaction' : 'per-process-second',
    kinds: [
      ...kinds,
      {
        transaction: compared.length > 0 ? NO_TRANSACTION : null,
        weight: compared.length > 0 ? secondsPerTransaction : 1,
        baseline: secondsBefore,
        candidate: secondsAfter,
      },
    ],
    kindOfTransaction,
    kindOutside: outside,
  };
}

function transactionsDone({ counts }: CanonicalSide, replicates: Replicates, transactionCount: number): WorkDone[] {
  const byReplicate = Array.from({ length: transactionCount }, () => new Float64Array(replicates.length));
  counts.transaction.forEach((row, at) => {
    byReplicate[row]![replicates.replicateOf(counts.process[at]!, counts.windowStartMs[at]!)]! += counts.count[at]!;
  });
  return byReplicate.map(workDone);
}

function processesDone({ processes }: CanonicalSide, replicates: Replicates): WorkDone {
  const byReplicate = new Float64Array(replicates.length);
  processes.forEach((_, row) => (byReplicate[replicates.replicateOf(row, 0)]! += 1));
  return workDone(byReplicate);
}

/** Where no process tells its time, replicates count alike. */
function secondsDone({ seconds }: Replicates): WorkDone {
  return workDone(seconds.some((one) => one > 0) ? seconds : seconds.map(() => 1));
}

/**
 * Without transactions nobody knows how much work a process did, so its own value stands for it, corrected for what
 * appeared and disappeared. Both sides are scaled, in opposite directions, so that exchanging them only changes signs;
 * the figures are per process-second at the average load of both sides.
 */
function scaledDone({ scaling, replicates }: WorkPlanInput): Pick<WorkKind, 'baseline' | 'candidate'> {
  const { baseline, candidate, compositionFactor } = scaling();
  const loadBefore = sum([...baseline]) / secondsDone(replicates.baseline).total;
  const loadAfter = sum([...candidate]) / secondsDone(replicates.candidate).total;
  const load = Math.sqrt((loadBefore || loadAfter || 1) * (loadAfter || loadBefore || 1));
  const half = Math.sqrt(compositionFactor);
  return {
    baseline: workDone(baseline.map((value) => value / half / load)),
    candidate: workDone(candidate.map((value) => (value * half) / load)),
  };
}

function workDone(byReplicate: Float64Array): WorkDone {
  return { total: sum([...byReplicate]), byReplicate };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
