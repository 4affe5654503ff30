import type { EpochMs } from '@hearth/profile-model';
import type { ComparedProcess } from './comparison-input.js';
import type { CanonicalSide } from './compared-side.js';
import type { ComparisonBasis, ComparisonWarning, ComparisonWarningCode, MixSplit } from './comparison-result.js';
import type { TransactionTotals } from './transaction-rows.js';

/** A shift of traffic that moves the service's cost by more than this part of it is worth a line. */
const MIX_SHARE_TO_TELL = 0.02;
/** Failing transactions are often cheaper or dearer than others; a difference of one in a hundred can pass for a change of code. */
const ERROR_SHARE_TO_TELL = 0.01;
/** More transactions at more errors than this look like retries, and retries make the cost per transaction look smaller. */
const RETRY_GROWTH = 0.05;
const FEW_PROCESSES = 3;
const UNEQUAL_FACTOR = 2;

export interface WarningsInput {
  readonly kind: 'flow' | 'level';
  readonly basis: ComparisonBasis;
  readonly transactions: readonly string[];
  readonly countedSinceMs: EpochMs | undefined;
  readonly minifiedFiles: readonly string[];
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
  readonly totals: { readonly baseline: TransactionTotals; readonly candidate: TransactionTotals };
  readonly mix: MixSplit | null;
}

/** What a reader should know before believing a verdict. */
export function comparisonWarnings(input: WarningsInput): ComparisonWarning[] {
  const warnings: ComparisonWarning[] = [];
  const warn = (code: ComparisonWarningCode, message: string): number => warnings.push({ code, message });
  const { baseline, candidate } = input;
  const sizes = [baseline.processes.length, candidate.processes.length] as const;

  if (baseline.samples.stack.length === 0) warn('SIDE_EMPTY', 'The baseline has no samples.');
  if (candidate.samples.stack.length === 0) warn('SIDE_EMPTY', 'The candidate has no samples.');
  if (input.kind === 'level')
    warn(
      'NO_VERDICT_FOR_LEVELS',
      'Memory in use is shown per process; it depends on the age and load of each, so there is no verdict.',
    );
  else if (Math.min(...sizes) < FEW_PROCESSES) {
    warn(
      'FEW_PROCESSES',
      `${sizes[0]} and ${sizes[1]} processes: how processes differ from each other is assumed, so nothing is more than likely. Three a side are needed.`,
    );
  }
  if (Math.max(...sizes) >= UNEQUAL_FACTOR * Math.min(...sizes) && Math.min(...sizes) > 0) {
    warn('UNEQUAL_PROCESSES', `${sizes[0]} processes are compared with ${sizes[1]}.`);
  }
  warnings.push(...differenceWarnings(baseline.processes, candidate.processes));
  const dropped = [baseline, candidate].map(({ processes }) =>
    processes.reduce((sum, process) => sum + process.droppedBatches, 0),
  );
  if (dropped.some((count) => count > 0))
    warn('DROPPED_BATCHES', `Agents dropped ${dropped[0]} and ${dropped[1]} batches: those periods are missing.`);
  if (input.basis === 'tmm') {
    const blind = 'functions are compared as if most of them had not changed, and a change of all alike cannot be seen.';
    if (input.countedSinceMs === undefined) warn('NO_TRANSACTIONS', `No transactions were counted: ${blind}`);
    else
      warn(
        'TRANSACTIONS_EXPIRED',
        `How many transactions finished is known from ${new Date(input.countedSinceMs).toISOString().slice(0, 10)} on only, and a side begins before: costs are not taken per transaction, ${blind}`,
      );
  }
  if (input.minifiedFiles.length > 0) {
    const [first, ...more] = input.minifiedFiles;
    warn(
      'MINIFIED_CODE',
      `Functions of ${first}${more.length > 0 ? ` and ${more.length} more files` : ''} came minified, without a source map: they have other names in each build, so each file is compared as one function, (minified).`,
    );
  }
  const { mix, totals } = input;
  if (mix !== null && Math.abs(mix.mix) > MIX_SHARE_TO_TELL * valuePerSecond(totals)) {
    warn(
      'TRAFFIC_MIX_SHIFTED',
      'The sides served different shares of transactions. Costs are compared at the average mix; the shift is shown apart.',
    );
  }
  warnings.push(...outcomeWarnings(input));
  return warnings;
}

function differenceWarnings(baseline: readonly ComparedProcess[], candidate: readonly ComparedProcess[]): ComparisonWarning[] {
  const questions = [
    ['NODE_VERSIONS_DIFFER', 'Node versions', (process: ComparedProcess) => process.nodeVersion],
    ['AGENT_VERSIONS_DIFFER', 'agent versions', (process: ComparedProcess) => process.agentVersion],
    ['RATES_DIFFER', 'sampling rates', (process: ComparedProcess) => `${process.rateHz} Hz`],
  ] as const;
  if (baseline.length === 0 || candidate.length === 0) return [];
  return questions.flatMap(([code, what, of]) => {
    const [before, after] = [baseline, candidate].map((processes) => [...new Set(processes.map(of))].sort().join(', '));
    return before === after ? [] : [{ code, message: `The sides differ in ${what}: ${before} and ${after}.` }];
  });
}

/** Samples do not tell how their transaction ended, so costs cannot be compared outcome by outcome; that the outcomes differ can be told. */
function outcomeWarnings({ transactions, totals }: WarningsInput): ComparisonWarning[] {
  const { baseline, candidate } = totals;
  const differing: string[] = [];
  const retried: string[] = [];
  const order = transactions.map((_, row) => row).sort((a, b) => (transactions[a]! < transactions[b]! ? -1 : 1));
  for (const row of order) {
    const counts = [baseline.count[row]!, candidate.count[row]!] as const;
    if (counts[0] === 0 || counts[1] === 0) continue;
    const change = candidate.errors[row]! / counts[1] - baseline.errors[row]! / counts[0];
    if (Math.abs(change) < ERROR_SHARE_TO_TELL) continue;
    differing.push(`${transactions[row]} (${change > 0 ? '+' : '−'}${(100 * Math.abs(change)).toFixed(1)} points)`);
    const growth = counts[1] / (candidate.seconds || 1) / (counts[0] / (baseline.seconds || 1));
    if (change > 0 ? growth >= 1 + RETRY_GROWTH : growth <= 1 / (1 + RETRY_GROWTH)) retried.push(transactions[row]!);
  }
  const warnings: ComparisonWarning[] = [];
  if (differing.length > 0) {
    warnings.push({
      code: 'ERROR_RATES_DIFFER',
      message: `Failing transactions can be cheaper or dearer than others. Share of errors changed in ${differing.join(', ')}.`,
    });
  }
  if (retried.length > 0) {
    warnings.push({
      code: 'RETRIES_POSSIBLE',
      message: `More errors and more transactions on the same side: retries would make each transaction look cheaper. ${retried.join(', ')}.`,
    });
  }
  return warnings;
}

function valuePerSecond({ baseline, candidate }: WarningsInput['totals']): number {
  const [before, after] = [baseline, candidate].map(
    ({ value, outsideValue, seconds }) => (value.reduce((sum, one) => sum + one, 0) + outsideValue) / (seconds || 1),
  ) as [number, number];
  return (before + after) / 2;
}
