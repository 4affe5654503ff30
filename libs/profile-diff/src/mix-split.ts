import type { MixSplit } from './comparison-result.js';

/** One side's work per process-second. */
export interface SideFlow {
  /** Value of each transaction, and how many there were; rows as in the list of transactions. */
  readonly value: readonly number[];
  readonly count: readonly number[];
  /** Value of what belongs to no transaction. */
  readonly background: number;
}

/** What one transaction contributes to the change of the average cost per transaction. */
export interface TransactionParts {
  readonly mixPart: number;
  readonly codePart: number;
}

/**
 * Splits the change of a service's cost into who caused it. With n transactions a second, shares pi and costs c, the cost is
 * n C, C = sum of pi c. Products of differences are divided evenly by taking the average of both sides as the other factor,
 * so no residue is left:
 *
 *     d(n C) = dn mean(C) + mean(n) dC        dC = sum of dpi mean(c) + sum of mean(pi) dc
 *              volume                              mix                  code
 *
 * Transactions on one side only, and what belongs to none, stand beside it.
 */
export function splitMix(baseline: SideFlow, candidate: SideFlow): { split: MixSplit; parts: TransactionParts[] } {
  const onBoth = baseline.count.map((count, row) => count > 0 && candidate.count[row]! > 0);
  const before = averageOf(baseline, onBoth);
  const after = averageOf(candidate, onBoth);
  const parts = onBoth.map((compared, row) => {
    if (!compared) return { mixPart: 0, codePart: 0 };
    const share = { before: baseline.count[row]! / before.count, after: candidate.count[row]! / after.count };
    const cost = { before: baseline.value[row]! / baseline.count[row]!, after: candidate.value[row]! / candidate.count[row]! };
    return {
      mixPart: (share.after - share.before) * ((cost.before + cost.after) / 2),
      codePart: ((share.before + share.after) / 2) * (cost.after - cost.before),
    };
  });
  const count = (before.count + after.count) / 2;
  let newTransactions = 0;
  let goneTransactions = 0;
  onBoth.forEach((compared, row) => {
    const change = candidate.value[row]! - baseline.value[row]!;
    if (compared) return;
    if (candidate.count[row]! > 0) newTransactions += change;
    else goneTransactions -= change;
  });
  const split = {
    volume: (after.count - before.count) * ((before.cost + after.cost) / 2),
    mix: count * parts.reduce((sum, { mixPart }) => sum + mixPart, 0),
    code: count * parts.reduce((sum, { codePart }) => sum + codePart, 0),
    background: candidate.background - baseline.background,
    newTransactions,
    goneTransactions,
  };
  return { split: { total: totalValue(candidate) - totalValue(baseline), ...split }, parts };
}

function averageOf({ value, count }: SideFlow, onBoth: readonly boolean[]): { count: number; cost: number } {
  const sumOf = (column: readonly number[]): number => column.reduce((sum, one, row) => (onBoth[row] ? sum + one : sum), 0);
  const transactions = sumOf(count);
  return { count: transactions, cost: transactions > 0 ? sumOf(value) / transactions : 0 };
}

function totalValue({ value, background }: SideFlow): number {
  return value.reduce((sum, one) => sum + one, background);
}
