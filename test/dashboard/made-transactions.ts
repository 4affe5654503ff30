import type { ResolvedSelection, TransactionAnswer, TransactionDetailAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { madeRuns, summaryOf } from './made-runs.js';
import { BASELINE, HOSTILE_NAMES, ROUTES } from './made-shop.js';

function madeTransaction(name: string, index: number): TransactionAnswer {
  const count = 42_000 - index * 5200;
  const mean = 4000 + index * 5300;
  const cpu = 1200 + index * 2100;
  return {
    name,
    kind: name.includes(' ') ? 'http' : 'custom',
    count,
    errors: index * 13,
    perMinute: count / 60,
    cpuMicros: count * cpu,
    cpuPerTransactionMicros: cpu,
    waitMicros: name === 'recalculate-recommendations' ? null : count * mean * 0.7,
    awaitedMicros: name === 'recalculate-recommendations' ? null : count * mean * 0.5,
    unexplainedMicros: name === 'recalculate-recommendations' ? null : count * Math.max(0, mean * 0.5 - cpu),
    durationMicros: { p50: mean * 0.8, p95: mean * 2.6, p99: mean * 4.4, mean, sum: count * mean },
  };
}

export function madeTransactions(selection: ResolvedSelection): TransactionsAnswer {
  const names: readonly string[] = selection.service === 'hostile' ? HOSTILE_NAMES.filter(Boolean) : ROUTES;
  return {
    selection,
    transactions: selection.service === 'pyroscope-client' ? [] : names.map(madeTransaction),
    backgroundCpuMicros: 2.4e8,
  };
}

/** As the server answers of a value that samples have, and no transaction. */
const ofParts = (row: TransactionAnswer & { value: string }) => ({
  ...row,
  count: 0,
  errors: 0,
  perMinute: 0,
  cpuPerTransactionMicros: 0,
  durationMicros: { p50: 0, p95: 0, p99: 0, mean: 0, sum: 0 },
});

/** The older revision has no slow runs. */
export function madeTransactionDetail(
  name: string,
  selection: ResolvedSelection,
  revision: string | null,
): TransactionDetailAnswer {
  const values = (list: readonly string[]) => list.map((value, index) => ({ ...madeTransaction('', index), value }));
  return {
    selection,
    transaction: madeTransaction(name, Math.max(0, ROUTES.indexOf(name as 'GET /'))),
    byLabel: [
      { label: 'plan', values: values(['enterprise', 'pro', 'free', '']) },
      { label: 'items', values: values(['0', '1-3', '4-9', '10-99']) },
      { label: 'span', values: [...values(['']), ...values(['load cart', 'apply discounts']).map(ofParts)] },
      ...(selection.service === 'hostile' ? [{ label: HOSTILE_NAMES[0]!, values: values(HOSTILE_NAMES) }] : []),
    ],
    exemplars: revision === BASELINE ? [] : madeRuns(name, selection.service, Date.now()).map(summaryOf),
  };
}
