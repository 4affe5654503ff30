import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { TransactionAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { useProject } from '../api/project.js';
import { measuresQuery, servicesQuery, transactionsQuery } from '../api/queries.js';
import { MeasureTable } from '../features/measures/measure-table.js';
import { FilterBar } from '../features/selection/filter-bar.js';
import { selectionOf } from '../features/selection/selection-of.js';
import { TimeBar } from '../features/transaction-time/time-bar.js';
import { formatCount, formatIn, formatNumber, formatQuantity, formatShare, scaleFor } from '../format/quantity.js';
import { visibleText } from '../format/visible-text.js';
import { Dimmed } from '../ui/dimmed.js';
import { EmptyNotice, SkeletonRows } from '../ui/notice.js';
import { SortHeader } from '../ui/sort-header.js';
import tables from '../ui/table.module.css';
import type { TransactionsSearch } from '../url-state/page-search.js';
import { QueryError } from './page-error.js';
import { TransactionDetail } from './transaction-detail.js';
import styles from './page.module.css';

type Sort = TransactionsSearch['sort'];

const SORT_VALUE: Record<Exclude<Sort, 'name'>, (transaction: TransactionAnswer) => number> = {
  sum: ({ durationMicros }) => durationMicros.sum,
  waited: ({ awaitedMicros }) => awaitedMicros ?? 0,
  unexplained: ({ unexplainedMicros }) => unexplainedMicros ?? 0,
  cpu: ({ cpuMicros }) => cpuMicros,
  cpuEach: ({ cpuPerTransactionMicros }) => cpuPerTransactionMicros,
  p95: ({ durationMicros }) => durationMicros.p95,
  count: ({ count }) => count,
  errors: ({ errors }) => errors,
};

/** For services whose agent is older than waits, or has them switched off. */
const NOT_RECORDED = '–';

export function TransactionsPage() {
  const search = useSearch({ from: '/app/transactions' });
  const navigate = useNavigate({ from: '/transactions' });
  const project = useProject();
  const services = useQuery(servicesQuery(project)).data;
  const change = (next: Partial<TransactionsSearch>, history: 'push' | 'replace' = 'push') =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: history === 'replace' });
  const { transaction: _, ...rest } = search;
  const selection = selectionOf({ ...rest, transaction: '' });
  const { data, error, isPlaceholderData, refetch } = useQuery(transactionsQuery(project, selection));
  const measures = useQuery(measuresQuery(project, selection));

  let content;
  if (search.service === '') {
    content = (
      <EmptyNotice
        title={services?.length === 0 ? 'No service has sent anything yet' : 'Choose a service'}
        action={services?.length === 0 ? <Link to="/install">Install the agent</Link> : undefined}
      >
        Incoming requests are transactions without any code; wrap other work in <code>transaction()</code>.
      </EmptyNotice>
    );
  } else if (search.transaction !== '') content = <TransactionDetail search={search} change={change} />;
  else if (data)
    content = (
      <Dimmed stale={isPlaceholderData}>
        <TransactionTable answer={data} sort={search.sort} change={change} />
        {measures.data && measures.data.measures.length > 0 && <MeasureTable measures={measures.data.measures} />}
        {measures.error && <QueryError error={measures.error} onRetry={() => void measures.refetch()} />}
      </Dimmed>
    );
  else if (error) content = <QueryError error={error} onRetry={() => void refetch()} />;
  else content = <SkeletonRows rows={12} label="Loading transactions" />;
  return (
    <>
      <FilterBar scope={search} onChange={change} without={['type', 'transaction']} />
      <div className={styles['page']}>{content}</div>
    </>
  );
}

function TransactionTable({
  answer,
  sort,
  change,
}: {
  answer: TransactionsAnswer;
  sort: Sort;
  change: (next: Partial<TransactionsSearch>) => void;
}) {
  const { transactions, backgroundCpuMicros } = answer;
  if (transactions.length === 0) {
    return (
      <EmptyNotice title="No transaction finished in this range">
        Incoming HTTP requests are counted by themselves. If the service does other work, wrap it in{' '}
        <code>transaction(name, work)</code>; if it uses a Pyroscope client, there are no transactions to count.
      </EmptyNotice>
    );
  }
  const sorted = [...transactions].sort((a, b) =>
    sort === 'name' ? (a.name < b.name ? -1 : 1) : SORT_VALUE[sort](b) - SORT_VALUE[sort](a),
  );
  const largest = (value: (transaction: TransactionAnswer) => number) => Math.max(...transactions.map(value));
  const duration = scaleFor(
    'microseconds',
    largest(({ durationMicros }) => durationMicros.p95),
  );
  const cpuEach = scaleFor('microseconds', largest(SORT_VALUE.cpuEach));
  const cpu = scaleFor('microseconds', largest(SORT_VALUE.cpu));
  const time = scaleFor('microseconds', largest(SORT_VALUE.sum));
  const mostTime = largest(SORT_VALUE.sum) || 1;
  const allCpu = transactions.reduce((sum, { cpuMicros }) => sum + cpuMicros, backgroundCpuMicros) || 1;
  const title = (column: Sort, text: string) => (
    <th
      className={column === 'name' ? undefined : tables['figure']}
      aria-sort={sort === column ? (column === 'name' ? 'ascending' : 'descending') : 'none'}
    >
      <SortHeader column={column} sort={sort} onSort={(next) => change({ sort: next })}>
        {text}
      </SortHeader>
    </th>
  );
  return (
    <>
      <div className={styles['head']}>
        <h1>Transactions</h1>
        <span className={styles['note']}>
          {formatCount(transactions.length)} names. CPU in no transaction: {formatQuantity(backgroundCpuMicros, 'microseconds')} (
          {formatShare(backgroundCpuMicros / allCpu)})
        </span>
      </div>
      <table className={tables['table']}>
        <thead>
          <tr>
            {title('name', 'Transaction')}
            <th>Kind</th>
            {title('count', 'Count')}
            <th className={tables['figure']}>per min</th>
            {title('errors', 'Errors')}
            <th className={tables['figure']}>p50, {duration.unit}</th>
            {title('p95', `p95, ${duration.unit}`)}
            <th className={tables['figure']}>p99, {duration.unit}</th>
            {title('cpuEach', `CPU each, ${cpuEach.unit}`)}
            {title('cpu', `CPU, ${cpu.unit}`)}
            <th className={tables['figure']}>CPU, %</th>
            {title('sum', `Time, ${time.unit}`)}
            {title('waited', `Waited, ${time.unit}`)}
            {title('unexplained', 'Unexplained, %')}
            <th>Ran, waited, unexplained</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((transaction) => (
            <tr key={transaction.name}>
              <td className={tables['wide']}>
                <button type="button" className={tables['link']} onClick={() => change({ transaction: transaction.name })}>
                  {visibleText(transaction.name)}
                </button>
              </td>
              <td className={tables['dim']}>{transaction.kind}</td>
              <td className={tables['figure']}>{formatCount(transaction.count)}</td>
              <td className={tables['figure']}>{formatNumber(transaction.perMinute)}</td>
              <td className={tables['figure']}>{formatCount(transaction.errors)}</td>
              <td className={tables['figure']}>{formatIn(duration, transaction.durationMicros.p50)}</td>
              <td className={tables['figure']}>{formatIn(duration, transaction.durationMicros.p95)}</td>
              <td className={tables['figure']}>{formatIn(duration, transaction.durationMicros.p99)}</td>
              <td className={tables['figure']}>{formatIn(cpuEach, transaction.cpuPerTransactionMicros)}</td>
              <td className={tables['figure']}>{formatIn(cpu, transaction.cpuMicros)}</td>
              <td className={tables['figure']}>{formatShare(transaction.cpuMicros / allCpu).replace(/\s*%$/, '')}</td>
              <td className={tables['figure']}>{formatIn(time, transaction.durationMicros.sum)}</td>
              <td className={tables['figure']}>{formatIn(time, transaction.awaitedMicros)}</td>
              <td className={tables['figure']}>{unexplainedShare(transaction)}</td>
              <td>
                <TimeBar transaction={transaction} widthPx={(128 * transaction.durationMicros.sum) / mostTime} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function unexplainedShare({ unexplainedMicros, durationMicros }: TransactionAnswer): string {
  if (unexplainedMicros === null) return NOT_RECORDED;
  return formatShare(unexplainedMicros / (durationMicros.sum || 1)).replace(/\s*%$/, '');
}
