import type { ExemplarSummaryAnswer } from '@hearth/query-contract';
import { formatMoment } from '../../format/moment.js';
import { formatCount, formatIn, scaleFor } from '../../format/quantity.js';
import { shortRevision, visibleText } from '../../format/visible-text.js';
import tables from '../../ui/table.module.css';
import { isFailure, timeOfRun } from './run-figures.js';
import styles from './run.module.css';
import { TimeBar } from './time-bar.js';

/** The bar of the slowest. */
const BAR_PX = 200;

interface SlowRunListProps {
  /** The slowest first. */
  readonly runs: readonly ExemplarSummaryAnswer[];
  /** The id of the one that is open; '' for none. */
  readonly open: string;
  readonly onOpen: (id: string) => void;
}

/** The slowest runs of a transaction, to be opened. */
export function SlowRunList({ runs, open, onOpen }: SlowRunListProps) {
  const slowest = Math.max(1, ...runs.map(({ durationMicros }) => durationMicros));
  const scale = scaleFor('microseconds', slowest);
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th className={tables['figure']}>Took, {scale.unit}</th>
          <th style={{ width: BAR_PX + 16 }}>Ran, waited, unexplained</th>
          <th>When</th>
          <th>Outcome</th>
          <th>Release</th>
          <th className={tables['figure']}>Samples</th>
          <th>Context</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id} data-chosen={run.id === open}>
            <td className={tables['figure']}>
              <button
                type="button"
                className={tables['link']}
                aria-pressed={run.id === open}
                aria-label={`Run of ${formatIn(scale, run.durationMicros)} ${scale.unit} at ${formatMoment(run.startMs)}`}
                onClick={() => onOpen(run.id === open ? '' : run.id)}
              >
                {formatIn(scale, run.durationMicros)}
              </button>
            </td>
            <td>
              <TimeBar transaction={timeOfRun(run)} widthPx={(BAR_PX * run.durationMicros) / slowest} />
            </td>
            <td>{formatMoment(run.startMs)}</td>
            <td className={styles[isFailure(run.outcome) ? 'failed' : 'ended']}>{run.outcome}</td>
            <td className={tables['clipped']}>{shortRevision(run.revision)}</td>
            <td className={tables['figure']}>{formatCount(run.sampleCount)}</td>
            <td className={tables['wide']}>
              <ContextPreview run={run} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ContextPreview({ run: { context, contextCount } }: { run: ExemplarSummaryAnswer }) {
  const shown = context.filter(([name]) => name !== 'transaction');
  return (
    <>
      {shown.map(([name, value]) => (
        <span key={name} className={styles['label']}>
          <span className={tables['dim']}>{visibleText(name)}</span> {visibleText(value)}
        </span>
      ))}
      {contextCount > context.length && <span className={tables['dim']}>and {contextCount - context.length} more</span>}
    </>
  );
}
