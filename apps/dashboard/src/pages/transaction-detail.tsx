import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { TransactionDetailAnswer } from '@hearth/query-contract';
import { useProject } from '../api/project.js';
import { transactionQuery } from '../api/queries.js';
import { selectionOf } from '../features/selection/selection-of.js';
import { TimeBar } from '../features/transaction-time/time-bar.js';
import { timeParts } from '../features/transaction-time/time-parts.js';
import { formatCount, formatIn, formatNumber, formatQuantity, formatShare, scaleFor } from '../format/quantity.js';
import { visibleText } from '../format/visible-text.js';
import { Dimmed } from '../ui/dimmed.js';
import { EmptyNotice, SkeletonRows } from '../ui/notice.js';
import tables from '../ui/table.module.css';
import type { TransactionsSearch } from '../url-state/page-search.js';
import { QueryError } from './page-error.js';
import { SlowRuns } from './transaction-run.js';
import pages from './page.module.css';
import styles from './transaction-detail.module.css';

interface TransactionDetailProps {
  readonly search: TransactionsSearch;
  readonly change: (next: Partial<TransactionsSearch>, history?: 'push' | 'replace') => void;
}

/** Bars are this long at the largest value of their table. */
const BAR_PX = 120;

/** One transaction: what it costs, and which values of its labels cost how much. */
export function TransactionDetail({ search, change }: TransactionDetailProps) {
  const { data, error, isPlaceholderData, refetch } = useQuery(
    transactionQuery(useProject(), search.transaction, selectionOf({ ...search, transaction: '' })),
  );
  const scope = {
    service: search.service,
    environment: search.environment,
    revision: search.revision,
    from: search.from,
    until: search.until,
    labels: search.labels,
  };
  return (
    <>
      <div className={pages['head']}>
        <button
          type="button"
          className={tables['link']}
          onClick={() => change({ transaction: '', run: '', runZoom: '', search: '' })}
        >
          ‹ Transactions
        </button>
        <h1>{visibleText(search.transaction)}</h1>
        <span className={pages['end']} />
        {typeof data?.transaction.waitMicros === 'number' && (
          <Link to="/explore" search={{ ...scope, transaction: search.transaction, type: 'wait' }}>
            See what it waits for
          </Link>
        )}
        <Link to="/explore" search={{ ...scope, transaction: search.transaction }}>
          See its flame graph
        </Link>
      </div>
      {data ? (
        <Dimmed stale={isPlaceholderData}>
          <Detail answer={data} search={search} change={change} />
        </Dimmed>
      ) : error ? (
        <QueryError error={error} onRetry={() => void refetch()} />
      ) : (
        <SkeletonRows rows={12} label="Loading the transaction" />
      )}
    </>
  );
}

function Detail({
  answer: { transaction, byLabel, exemplars },
  search,
  change,
}: TransactionDetailProps & { answer: TransactionDetailAnswer }) {
  const { durationMicros } = transaction;
  const figures = [
    ['Count', formatCount(transaction.count)],
    ['per min', formatNumber(transaction.perMinute)],
    ['Errors', `${formatCount(transaction.errors)} (${formatShare(transaction.errors / (transaction.count || 1))})`],
    ['Mean', formatQuantity(durationMicros.mean, 'microseconds')],
    ['p50', formatQuantity(durationMicros.p50, 'microseconds')],
    ['p95', formatQuantity(durationMicros.p95, 'microseconds')],
    ['p99', formatQuantity(durationMicros.p99, 'microseconds')],
    ['CPU each', formatQuantity(transaction.cpuPerTransactionMicros, 'microseconds')],
    ['CPU in all', formatQuantity(transaction.cpuMicros, 'microseconds')],
    ['Waits in all', transaction.waitMicros === null ? '–' : formatQuantity(transaction.waitMicros, 'microseconds')],
  ] as const;
  const parts = timeParts(transaction);
  return (
    <>
      <dl className={styles['figures']}>
        {figures.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {parts.length > 0 && (
        <div className={styles['parts']}>
          <TimeBar transaction={transaction} widthPx={480} />
          <span>
            {parts.map(({ name, micros }) => `${name} ${formatQuantity(micros, 'microseconds')}`).join(', ')}, of{' '}
            {formatQuantity(durationMicros.sum, 'microseconds')} in all
          </span>
        </div>
      )}
      <SlowRuns runs={exemplars} search={search} change={change} />
      {byLabel.length === 0 && (
        <EmptyNotice title="This transaction has no labels">
          Tag it with what its cost may depend on, such as the plan or the size of the input:{' '}
          <code>tag(&apos;plan&apos;, user.plan)</code>. Each value is then a row here and a filter in Explore.
        </EmptyNotice>
      )}
      {byLabel.map((label) => (
        <LabelTable key={label.label} {...label} search={search} />
      ))}
    </>
  );
}

/** Of a label that parts of transactions have, as spans do, no transaction has a value: its CPU is a share of each transaction's. */
function LabelTable({ label, values, search }: TransactionDetailAnswer['byLabel'][number] & { search: TransactionsSearch }) {
  const isOfParts = values.every(({ value, count }) => value === '' || count === 0);
  const allCount = values.reduce((sum, { count }) => sum + count, 0) || 1;
  const rows = values
    .map((row) => {
      const counted = row.count > 0 ? row : undefined;
      return { ...row, counted, cpuEachMicros: isOfParts ? row.cpuMicros / allCount : counted?.cpuPerTransactionMicros };
    })
    .sort((a, b) => (b.cpuEachMicros ?? 0) - (a.cpuEachMicros ?? 0));
  const mostCpu = Math.max(rows[0]?.cpuEachMicros ?? 0, 1);
  const cpuEach = scaleFor('microseconds', mostCpu);
  const duration = scaleFor('microseconds', Math.max(...values.map(({ durationMicros }) => durationMicros.p95)));
  const allCpu = values.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0) || 1;
  return (
    <section className={styles['label']} aria-label={`By ${visibleText(label)}`}>
      <h2>{visibleText(label)}</h2>
      <table className={tables['table']}>
        <thead>
          <tr>
            <th>Value</th>
            <th className={tables['figure']}>Count</th>
            <th className={tables['figure']}>Errors</th>
            <th className={tables['figure']}>p50, {duration.unit}</th>
            <th className={tables['figure']}>p95, {duration.unit}</th>
            <th className={tables['figure']}>CPU, %</th>
            <th className={tables['figure']}>CPU each, {cpuEach.unit}</th>
            <th style={{ width: BAR_PX + 16 }} aria-label="CPU each, as a bar" />
          </tr>
        </thead>
        <tbody>
          {rows.map(({ value, counted, cpuMicros, cpuEachMicros }) => (
            <tr key={value}>
              <td className={tables['wide']}>
                <Link
                  className={tables['link']}
                  to="/explore"
                  search={{
                    service: search.service,
                    from: search.from,
                    until: search.until,
                    transaction: search.transaction,
                    labels: [...search.labels, [label, '=', value]],
                  }}
                >
                  {value === '' ? <span className={tables['dim']}>(without this label)</span> : visibleText(value)}
                </Link>
              </td>
              <td className={tables['figure']}>{formatCount(counted?.count)}</td>
              <td className={tables['figure']}>{formatCount(counted?.errors)}</td>
              <td className={tables['figure']}>{formatIn(duration, counted?.durationMicros.p50)}</td>
              <td className={tables['figure']}>{formatIn(duration, counted?.durationMicros.p95)}</td>
              <td className={tables['figure']}>{formatShare(cpuMicros / allCpu).replace(/\s*%$/, '')}</td>
              <td className={tables['figure']}>{formatIn(cpuEach, cpuEachMicros)}</td>
              <td>
                <span className={tables['bar']} style={{ width: Math.max(1, (BAR_PX * (cpuEachMicros ?? 0)) / mostCpu) }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
