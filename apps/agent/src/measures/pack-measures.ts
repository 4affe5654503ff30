import { MEASURE_LABEL, type LabelSet } from '@hearth/profile-model';
import type { TransactionCount } from '@hearth/wire-format';
import type { MeasuredRuns } from './measures.js';

/** Label sets and counts of a batch. */
interface Counted {
  readonly labelSets: readonly LabelSet[];
  readonly transactions: readonly TransactionCount[];
}

/** The counts of a period with those of its snippets behind them. Their label sets come last, so that they take no room from those of transactions. */
export function withMeasures({ labelSets, transactions }: Counted, measured: readonly MeasuredRuns[]): Counted {
  const rows = new Map<string, number>();
  const counts = measured.map(({ name, counted }) => {
    let row = rows.get(name);
    if (row === undefined) rows.set(name, (row = labelSets.length + rows.size));
    return { labelSet: row, ...counted };
  });
  const added = Array.from(rows.keys(), (name): LabelSet => [[MEASURE_LABEL, name]]);
  return { labelSets: [...labelSets, ...added], transactions: [...transactions, ...counts] };
}
