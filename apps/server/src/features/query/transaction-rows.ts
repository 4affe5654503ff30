import type { DurationMs, LabelSet } from '@hearth/profile-model';
import { DurationSketch, TRANSACTION_LABEL, labelValue } from '@hearth/profile-model';
import type { TransactionAnswer, TransactionDetailAnswer } from '@hearth/query-contract';

/** Transactions of one label set and outcome, summed over the range. */
export interface CountedTransactions {
  readonly labelSetId: number;
  readonly kind: 'http' | 'custom';
  readonly outcome: string;
  readonly count: number;
  readonly durationSumMicros: number;
  readonly sketch: DurationSketch;
}

/** Microseconds of each label set. */
export interface WaitFigures {
  /** Sums of all waits. */
  readonly waitMicrosOfLabelSet: ReadonlyMap<number, number>;
  /** Time in which a finished transaction waited for anything. */
  readonly awaitedMicrosOfLabelSet: ReadonlyMap<number, number>;
}

export interface TransactionFigures {
  readonly counted: readonly CountedTransactions[];
  readonly cpuMicrosOfLabelSet: ReadonlyMap<number, number>;
  /** `undefined`: the service has never recorded waits. */
  readonly waits: WaitFigures | undefined;
  readonly labelSets: ReadonlyMap<number, LabelSet>;
  /** The part of the range in which the selected processes lived. */
  readonly observedMs: DurationMs;
}

type Figures = Omit<TransactionAnswer, 'name' | 'kind'>;

/** Sums up one group: a transaction, or one value of one of its labels. */
class Tally {
  kind: 'http' | 'custom' = 'custom';
  #count = 0;
  #errors = 0;
  #durationSumMicros = 0;
  #cpuMicros = 0;
  #waitMicros = 0;
  #awaitedMicros = 0;
  readonly #sketch = new DurationSketch();

  addCounted(counted: CountedTransactions): void {
    this.kind = counted.kind;
    this.#count += counted.count;
    // Aborted is the client's doing: it left before the answer. Errors and timeouts are the service's.
    if (counted.outcome === 'error' || counted.outcome === 'timeout') this.#errors += counted.count;
    this.#durationSumMicros += counted.durationSumMicros;
    this.#sketch.merge(counted.sketch);
  }
  addCpu(micros: number): void {
    this.#cpuMicros += micros;
  }
  addWait(micros: number): void {
    this.#waitMicros += micros;
  }
  addAwaited(micros: number): void {
    this.#awaitedMicros += micros;
  }
  figures({ observedMs, waits }: TransactionFigures): Figures {
    const unexplainedMicros = Math.max(0, this.#durationSumMicros - this.#cpuMicros - this.#awaitedMicros);
    const quantile = (q: number) => (this.#sketch.count > 0 ? Math.round(this.#sketch.quantile(q)) : 0);
    return {
      count: this.#count,
      errors: this.#errors,
      perMinute: observedMs > 0 ? (this.#count * 60_000) / observedMs : 0,
      durationMicros: {
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        mean: this.#count > 0 ? this.#durationSumMicros / this.#count : 0,
        sum: this.#durationSumMicros,
      },
      cpuMicros: this.#cpuMicros,
      cpuPerTransactionMicros: this.#count > 0 ? this.#cpuMicros / this.#count : 0,
      waitMicros: waits === undefined ? null : this.#waitMicros,
      awaitedMicros: waits === undefined ? null : this.#awaitedMicros,
      unexplainedMicros: waits === undefined ? null : unexplainedMicros,
    };
  }
}

/** One row per transaction, dearest CPU first. A transaction with samples and no finished run yet has count 0. */
export function transactionRows(figures: TransactionFigures): { transactions: TransactionAnswer[]; backgroundCpuMicros: number } {
  const tallies = tally(figures, (labels) => labelValue(labels, TRANSACTION_LABEL));
  let backgroundCpuMicros = 0;
  for (const [labelSetId, micros] of figures.cpuMicrosOfLabelSet) {
    if (labelValue(figures.labelSets.get(labelSetId) ?? [], TRANSACTION_LABEL) === undefined) backgroundCpuMicros += micros;
  }
  const transactions = [...tallies]
    .map(([name, one]) => ({ name, kind: one.kind, ...one.figures(figures) }))
    .sort((a, b) => b.cpuMicros - a.cpuMicros || b.durationMicros.sum - a.durationMicros.sum || (a.name < b.name ? -1 : 1));
  return { transactions, backgroundCpuMicros };
}

/** Most values of one label that are told apart in an answer. */
const MAX_LABEL_VALUES = 100;

/** What each value of each label cost, dearest CPU per transaction first. `figures` are of one transaction. */
export function transactionsByLabel(figures: TransactionFigures): TransactionDetailAnswer['byLabel'] {
  const names = new Set<string>();
  const used = [
    ...figures.counted.map((one) => one.labelSetId),
    ...figures.cpuMicrosOfLabelSet.keys(),
    ...(figures.waits?.waitMicrosOfLabelSet.keys() ?? []),
  ];
  for (const labelSetId of used) {
    for (const [name] of figures.labelSets.get(labelSetId) ?? []) if (name !== TRANSACTION_LABEL) names.add(name);
  }
  return [...names].sort().map((label) => ({
    label,
    values: [...tally(figures, (labels) => labelValue(labels, label) ?? '')]
      .map(([value, one]) => ({ value, ...one.figures(figures) }))
      .sort((a, b) => b.cpuPerTransactionMicros - a.cpuPerTransactionMicros || b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, MAX_LABEL_VALUES),
  }));
}

function tally(figures: TransactionFigures, groupOf: (labels: LabelSet) => string | undefined): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  const tallyOf = (labelSetId: number): Tally | undefined => {
    const group = groupOf(figures.labelSets.get(labelSetId) ?? []);
    if (group === undefined) return undefined;
    let one = tallies.get(group);
    if (one === undefined) tallies.set(group, (one = new Tally()));
    return one;
  };
  for (const counted of figures.counted) tallyOf(counted.labelSetId)?.addCounted(counted);
  for (const [labelSetId, micros] of figures.cpuMicrosOfLabelSet) tallyOf(labelSetId)?.addCpu(micros);
  for (const [labelSetId, micros] of figures.waits?.waitMicrosOfLabelSet ?? []) tallyOf(labelSetId)?.addWait(micros);
  for (const [labelSetId, micros] of figures.waits?.awaitedMicrosOfLabelSet ?? []) tallyOf(labelSetId)?.addAwaited(micros);
  return tallies;
}
