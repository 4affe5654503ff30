import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ExemplarAnswer, ExemplarSummaryAnswer } from '@hearth/query-contract';
import { useProject } from '../api/project.js';
import { exemplarQuery } from '../api/queries.js';
import { ApiError } from '../api/request.js';
import { RunChart } from '../features/flame-graph/run-chart.js';
import { howMuch } from '../features/transaction-time/how-much.js';
import { RunContext } from '../features/transaction-time/run-context.js';
import { isFailure, timeOfRun } from '../features/transaction-time/run-figures.js';
import { RunAxis, RunSpans, RunWaits } from '../features/transaction-time/run-lanes.js';
import { SlowRunList } from '../features/transaction-time/slow-run-list.js';
import { timeParts } from '../features/transaction-time/time-parts.js';
import { readRunView, runViewText, type RunView } from '../features/transaction-time/time-scale.js';
import lanes from '../features/transaction-time/run.module.css';
import { formatMoment } from '../format/moment.js';
import { formatQuantity } from '../format/quantity.js';
import { EmptyNotice, SkeletonRows } from '../ui/notice.js';
import { useKeys } from '../ui/use-keys.js';
import type { TransactionsSearch } from '../url-state/page-search.js';
import { QueryError } from './page-error.js';
import styles from './transaction-run.module.css';

interface SlowRunsProps {
  readonly runs: readonly ExemplarSummaryAnswer[];
  readonly search: TransactionsSearch;
  readonly change: (next: Partial<TransactionsSearch>, history?: 'push' | 'replace') => void;
}

/** The slowest runs of a transaction, and the one of them that is open. */
export function SlowRuns({ runs, search, change }: SlowRunsProps) {
  const open = (id: string) => change({ run: id, runZoom: '' });
  const step = (by: number) => () => {
    const at = runs.findIndex(({ id }) => id === search.run);
    const next = at < 0 ? runs[0] : runs[at + by];
    if (next !== undefined) open(next.id);
  };
  useKeys({ '[': step(-1), ']': step(1) });
  return (
    <section className={styles['runs']} aria-label="Slowest runs">
      <h2>Slowest runs</h2>
      {runs.length === 0 ? (
        <EmptyNotice title="No slow run is kept in this range">
          Agents send the slowest run of each transaction of every period whole, with its own samples, waits and spans, and each
          hour keeps five of them for a release. An agent that is older sends none: update it in the service, or look at a range
          in which a newer one ran.
        </EmptyNotice>
      ) : (
        <SlowRunList runs={runs} open={search.run} onOpen={open} />
      )}
      {search.run !== '' && <OpenRun key={search.run} search={search} change={change} />}
    </section>
  );
}

function OpenRun({ search, change }: Pick<SlowRunsProps, 'search' | 'change'>) {
  const { data, error, refetch } = useQuery(exemplarQuery(useProject(), search.run));
  const close = () => change({ run: '', runZoom: '' });
  if (data) return <Run answer={data} search={search} change={change} onClose={close} />;
  if (error instanceof ApiError && (error.status === 404 || error.status === 410)) {
    return (
      <EmptyNotice
        title="This run is not kept any more"
        action={
          <Button variant="default" onClick={close}>
            Close it
          </Button>
        }
      >
        {error.status === 410
          ? 'It is of a day whose transactions are past their retention.'
          : 'Five slower ones of its hour took its place, or it was deleted.'}{' '}
        Those of this range that are kept are listed above.
      </EmptyNotice>
    );
  }
  if (error) return <QueryError error={error} onRetry={() => void refetch()} />;
  return <SkeletonRows rows={12} label="Loading the run" />;
}

function Run({
  answer,
  search,
  change,
  onClose,
}: Pick<SlowRunsProps, 'search' | 'change'> & { answer: ExemplarAnswer; onClose: () => void }) {
  const { durationMicros } = answer;
  const view = readRunView(search.runZoom, durationMicros);
  const onView = (next: RunView) => change({ runZoom: runViewText(next, durationMicros) });
  const isWhole = runViewText(view, durationMicros) === '';
  const parts = timeParts(timeOfRun(answer));
  return (
    <section
      className={styles['run']}
      aria-label={`Run of ${formatQuantity(durationMicros, 'microseconds')}`}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || isWhole || event.defaultPrevented) return;
        onView({ from: 0, to: durationMicros });
      }}
    >
      <div className={styles['head']}>
        <h2>
          {formatQuantity(durationMicros, 'microseconds')} at {formatMoment(answer.startMs)}
        </h2>
        <span className={lanes[isFailure(answer.outcome) ? 'failed' : 'ended']}>{answer.outcome}</span>
        <span className={styles['note']}>
          {parts.map(({ name, micros }) => `${name} ${formatQuantity(micros, 'microseconds')}`).join(', ')}
        </span>
        <span className={styles['end']} />
        {!isWhole && (
          <>
            <span className={styles['note']}>
              Shown: {formatQuantity(view.from, 'microseconds')} to {formatQuantity(view.to, 'microseconds')}
            </span>
            <Button variant="default" onClick={() => onView({ from: 0, to: durationMicros })}>
              Show all of it
            </Button>
          </>
        )}
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
      <p className={styles['note']}>{howMuch(answer)}</p>
      <div className={lanes['lane']}>
        <RunAxis view={view} />
        {answer.spans.name.length > 0 && (
          <>
            <h3 className={lanes['title']}>Spans</h3>
            <RunSpans answer={answer} view={view} onView={onView} />
          </>
        )}
        <h3 className={lanes['title']}>Waited</h3>
        <RunWaits answer={answer} view={view} />
        <h3 className={lanes['title']}>Ran</h3>
      </div>
      {answer.samples.stack.length > 0 ? (
        <RunChart
          answer={answer}
          view={view}
          onView={onView}
          search={search.search}
          onSearch={(text) => change({ search: text }, 'replace')}
        />
      ) : (
        <p className={lanes['note']}>No sample of it is kept.</p>
      )}
      <RunContext answer={answer} />
    </section>
  );
}
