import type { LinesAnswer } from '@hearth/query-contract';
import { formatCount, formatIn, formatShare, scaleFor } from '../../format/quantity.js';
import table from '../../ui/table.module.css';
import styles from './lines.module.css';

/** Rows that are drawn; of a longer file those with the largest totals. */
const MAX_ROWS = 1_000;

/** By line; the bar is the total, its dark part what ran on the line itself. */
export function LineTable({ answer, label }: { readonly answer: LinesAnswer; readonly label: string }) {
  const largest = answer.lines.reduce((most, { total }) => Math.max(most, total), 0);
  const scale = scaleFor(answer.unit, largest);
  const unit = scale.unit === '' ? '' : `, ${scale.unit}`;
  const rows =
    answer.lines.length <= MAX_ROWS
      ? answer.lines
      : [...answer.lines]
          .sort((a, b) => b.total - a.total)
          .slice(0, MAX_ROWS)
          .sort((a, b) => a.line - b.line);
  const width = (value: number) => `${(value / (largest || 1)) * 100}%`;
  return (
    <div className={styles['scroller']} tabIndex={0} role="region" aria-label={label}>
      <table className={table['table']}>
        <thead>
          <tr>
            <th className={table['figure']}>Line</th>
            <th className={table['figure']}>{`Self${unit}`}</th>
            <th className={table['figure']}>%</th>
            <th className={table['figure']}>{`Total${unit}`}</th>
            <th className={table['figure']}>%</th>
            <th className={table['figure']}>Samples</th>
            <th className={table['wide']}>Total, and of it self</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, self, total, samples }) => (
            <tr key={line}>
              <td className={table['figure']}>{line === 0 ? 'unknown' : line}</td>
              <td className={table['figure']}>{formatIn(scale, self)}</td>
              <td className={`${table['figure']} ${table['dim']}`}>{formatShare(self / (answer.sum || 1))}</td>
              <td className={table['figure']}>{formatIn(scale, total)}</td>
              <td className={`${table['figure']} ${table['dim']}`}>{formatShare(total / (answer.sum || 1))}</td>
              <td className={`${table['figure']} ${table['dim']}`}>{formatCount(samples)}</td>
              <td className={table['wide']} aria-hidden="true">
                <span className={styles['total']} style={{ width: width(total) }}>
                  <span className={styles['self']} style={{ width: `${(self / (total || 1)) * 100}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length < answer.lines.length && (
        <div className={styles['note']}>
          The {formatCount(rows.length)} dearest of {formatCount(answer.lines.length)} lines.
        </div>
      )}
    </div>
  );
}
