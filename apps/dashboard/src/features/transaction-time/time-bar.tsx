import { formatQuantity, formatShare } from '../../format/quantity.js';
import { timeParts, type TimeFigures } from './time-parts.js';
import styles from './time-bar.module.css';

interface TimeBarProps {
  readonly transaction: TimeFigures;
  /** Of the whole bar. */
  readonly widthPx: number;
}

/** What a transaction's runs did with their time, as one bar: running, waiting, and what nothing explains. Plain where waits are not recorded. */
export function TimeBar({ transaction, widthPx }: TimeBarProps) {
  const parts = timeParts(transaction);
  const all = parts.reduce((sum, { micros }) => sum + micros, 0);
  if (all === 0) return <span className={styles['bar']} style={{ width: Math.max(1, widthPx) }} />;
  const text = parts
    .map(({ name, micros }) => `${name} ${formatQuantity(micros, 'microseconds')} (${formatShare(micros / all)})`)
    .join(', ');
  return (
    <span className={styles['bar']} style={{ width: Math.max(1, widthPx) }} role="img" aria-label={text} title={text}>
      {parts.map(({ name, micros }) => (
        <span key={name} className={styles[name]} style={{ width: `${(100 * micros) / all}%` }} />
      ))}
    </span>
  );
}
