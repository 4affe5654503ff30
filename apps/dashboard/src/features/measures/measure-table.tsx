import { Fragment } from 'react';
import type { MeasureAnswer, MeasureFigures } from '@hearth/query-contract';
import { formatCount, formatNumber, formatQuantity } from '../../format/quantity.js';
import { shortRevision, visibleText } from '../../format/visible-text.js';
import tables from '../../ui/table.module.css';
import styles from './measures.module.css';

/** Revisions of one snippet that are drawn, the one that ran last first. */
const MAX_REVISIONS = 5;

/** Snippets timed by `measure()`: how often they ran and how long, and of those that ran in several revisions each. */
export function MeasureTable({ measures }: { readonly measures: readonly MeasureAnswer[] }) {
  return (
    <section className={styles['section']} aria-labelledby="measures">
      <h2 id="measures">Measures</h2>
      <table className={tables['table']}>
        <thead>
          <tr>
            <th>Snippet</th>
            <th>Revision</th>
            <th className={tables['figure']}>Count</th>
            <th className={tables['figure']}>per min</th>
            <th className={tables['figure']}>Errors</th>
            <th className={tables['figure']}>p50</th>
            <th className={tables['figure']}>p95</th>
            <th className={tables['figure']}>max</th>
            <th className={tables['figure']}>Time</th>
          </tr>
        </thead>
        <tbody>
          {measures.map(({ name, byRevision, ...all }) => (
            <Fragment key={name}>
              <tr>
                <td className={tables['wide']}>{visibleText(name)}</td>
                <td className={tables['dim']}>
                  {byRevision.length === 1 ? revisionText(byRevision[0]!.revision) : `all ${byRevision.length}`}
                </td>
                <Figures figures={all} />
              </tr>
              {byRevision.length > 1 &&
                byRevision.slice(0, MAX_REVISIONS).map(({ revision, ...figures }) => (
                  <tr key={revision} className={tables['dim']}>
                    <td />
                    <td title={visibleText(revision)}>{revisionText(revision)}</td>
                    <Figures figures={figures} />
                  </tr>
                ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Each with its unit: snippets of one table may take nanoseconds and seconds. */
function Figures({ figures: { count, perMinute, errors, durationMicros } }: { readonly figures: MeasureFigures }) {
  const time = (micros: number) => formatQuantity(micros * 1_000, 'nanoseconds');
  return (
    <>
      <td className={tables['figure']}>{formatCount(count)}</td>
      <td className={tables['figure']}>{formatNumber(perMinute)}</td>
      <td className={tables['figure']}>{formatCount(errors)}</td>
      <td className={tables['figure']}>{time(durationMicros.p50)}</td>
      <td className={tables['figure']}>{time(durationMicros.p95)}</td>
      <td className={tables['figure']}>{time(durationMicros.max)}</td>
      <td className={tables['figure']}>{time(durationMicros.sum)}</td>
    </>
  );
}

function revisionText(revision: string): string {
  return revision === '' ? 'unknown' : shortRevision(revision);
}
