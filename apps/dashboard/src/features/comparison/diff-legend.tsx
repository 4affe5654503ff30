import styles from './comparison.module.css';

/** What colour, opacity, hatching and edges say. */
export function DiffLegend({ tested }: { tested: boolean }) {
  return (
    <div className={styles['legend']}>
      <span>
        <i className={styles['swatchLess']} />▼ less
      </span>
      <span>
        <i className={styles['swatchSame']} />
        same
      </span>
      <span>
        <i className={styles['swatchMore']} />▲ more
      </span>
      <span>
        <i className={styles['swatchGone']} />× only in A
      </span>
      <span>
        <i className={styles['swatchNew']} />+ only in B
      </span>
      <span>{tested ? 'pale: not sure; ' : ''}width: the larger side</span>
    </div>
  );
}
