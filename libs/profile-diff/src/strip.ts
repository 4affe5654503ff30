import type { CanonicalSide } from './compared-side.js';
import type { Change, ComparisonBasis, StripEntry } from './comparison-result.js';
import { pOfT } from './distributions.js';
import { moderateFamily } from './moderated-variance.js';
import type { RatePair } from './rates.js';
import type { SideRate } from './side-rate.js';
import { ROOT, WHOLE } from './rates.js';
import type { ReplicatePlan, Replicates } from './replicates.js';
import type { TransactionTotals } from './transaction-rows.js';
import { judgedChange, unjudgedChange } from './verdicts.js';
import type { VerdictRules } from './verdicts.js';
import type { WorkPlan } from './work-plan.js';

/** The service's value per unit of work; a verdict where there is a unit that means something. */
export function valueEntry(
  unit: string,
  basis: ComparisonBasis,
  ofRoot: { readonly judged: Change | undefined; readonly pair: Pick<RatePair, 'baseline' | 'candidate'> },
): StripEntry {
  const isJudged = basis === 'per-transaction' || basis === 'per-process-second';
  return { metric: 'value', unit, change: isJudged && ofRoot.judged !== undefined ? ofRoot.judged : unjudgedChange(ofRoot.pair) };
}

export interface LatencyInput {
  readonly plan: WorkPlan;
  readonly transactions: readonly string[];
  readonly replicates: ReplicatePlan;
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
}

/** Mean duration of the average transaction, at the same fixed weights as every cost; `undefined` without durations on both sides. */
export function latencyRates(input: LatencyInput): RatePair | undefined {
  if (input.plan.basis !== 'per-transaction') return undefined;
  const baseline = meanDuration(input, 'baseline');
  const candidate = meanDuration(input, 'candidate');
  if (baseline.rate === 0 || candidate.rate === 0) return undefined;
  return { scope: WHOLE, functionId: ROOT, metric: 'inclusive', baseline, candidate };
}

/** @param floorShare - Of the mean duration of both sides: smaller changes do not matter. */
export function latencyEntry(pair: RatePair, rules: VerdictRules, floorShare: number, assumedVariance: number): StripEntry {
  // One row has no others to learn from: its own variance is all there is.
  const [moderated] = moderateFamily([pair]).moderated;
  const floor = (floorShare * (pair.baseline.rate + pair.candidate.rate)) / 2;
  const row = { floor, tested: 1, windowsPresent: () => 0 };
  if (moderated === undefined)
    return { metric: 'latency', unit: 'microseconds', change: unjudgedChange(pair, 'NOT_ENOUGH_DATA') };
  const log = Math.log(pair.candidate.rate / pair.baseline.rate);
  const standardError = Math.sqrt(moderated.standardError ** 2 + assumedVariance);
  // Replies of a fixed time do not vary at all: then no difference is none, and any is one.
  const p = pOfT(log === 0 ? 0 : log / standardError, moderated.df);
  const ratio = { log, standardError, countingVariance: 0 };
  const change = judgedChange({ pair, test: { p, df: moderated.df, ratio }, q: p }, rules, row);
  return { metric: 'latency', unit: 'microseconds', change };
}

/** Transactions per process-second: what was asked of the service, not what it cost, so there is nothing to judge. */
export function throughputEntry(baseline: TransactionTotals, candidate: TransactionTotals): StripEntry | undefined {
  const before = throughput(baseline);
  const after = throughput(candidate);
  if (before.rate === 0 && after.rate === 0) return undefined;
  return {
    metric: 'throughput',
    unit: 'transactions_per_second',
    change: unjudgedChange({ baseline: before, candidate: after }),
  };
}

function throughput({ count, seconds }: TransactionTotals): SideRate {
  const transactions = count.reduce((sum, one) => sum + one, 0);
  return untestedRate(seconds > 0 ? transactions / seconds : 0, transactions);
}

export function untestedRate(rate: number, samples: number): SideRate {
  const none = new Float64Array(0);
  return { rate, samples, expectedSamples: 0, share: none, deviation: none, countingPerSample: none };
}

function meanDuration({ plan, replicates, ...sides }: LatencyInput, sideName: 'baseline' | 'candidate'): SideRate {
  const { counts } = sides[sideName];
  const ofSide: Replicates = replicates[sideName];
  const durations = plan.kinds.map(() => new Float64Array(ofSide.length));
  counts.transaction.forEach((row, at) => {
    const kind = plan.kindOfTransaction[row]!;
    if (kind !== -1 && kind !== plan.kindOutside)
      durations[kind]![ofSide.replicateOf(counts.process[at]!, counts.windowStartMs[at]!)]! += counts.durationSumMicros[at]!;
  });
  const own = new Float64Array(ofSide.length);
  const share = new Float64Array(ofSide.length);
  let rate = 0;
  let transactions = 0;
  plan.kinds.forEach((kind, row) => {
    if (row === plan.kindOutside) return;
    const { total, byReplicate } = kind[sideName];
    const mean = durations[row]!.reduce((sum, one) => sum + one, 0) / total;
    rate += kind.weight * mean;
    transactions += total;
    byReplicate.forEach((done, replicate) => {
      share[replicate]! += (kind.weight * mean * done) / total;
      own[replicate]! += (kind.weight * durations[row]![replicate]!) / total;
    });
  });
  return {
    rate,
    samples: transactions,
    expectedSamples: transactions,
    share: share.map((one) => (rate > 0 ? one / rate : 0)),
    deviation: share.map((one, replicate) => (one > 0 ? own[replicate]! / one - 1 : 0)),
    countingPerSample: new Float64Array(ofSide.length),
  };
}
