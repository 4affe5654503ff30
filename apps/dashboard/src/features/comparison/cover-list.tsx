import type { ComparisonResult, CoverRow } from '@hearth/profile-diff';
import { formatDelta, formatShare } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { functionHash, type FunctionHash } from '../../url-state/function-key.js';
import { VerdictMark } from './verdict-mark.js';
import styles from './comparison.module.css';

/** Where most of the change sits: the fewest frames that hold it. Choosing one shows its place in the graph. */
export function CoverList({
  result,
  selected,
  onChoose,
}: {
  result: ComparisonResult;
  selected: FunctionHash;
  onChoose: (row: CoverRow, hash: FunctionHash) => void;
}) {
  if (result.cover.length === 0) return null;
  return (
    <section className={styles['cover']} aria-label="Where the change is">
      <h2>Where the change is</h2>
      <ul>
        {result.cover.map((row) => {
          const hash = functionHash(row.function);
          return (
            <li key={row.treeRow}>
              <button
                type="button"
                className={styles['coverRow']}
                aria-pressed={hash === selected}
                onClick={() => onChoose(row, hash)}
              >
                <span className={styles['coverDelta']} data-tone={row.delta > 0 ? 'more' : 'less'}>
                  {row.delta > 0 ? '▲' : '▼'} {formatDelta(row.delta, result.unit)}
                </span>
                <span className={styles['coverShare']}>{formatShare(row.share)}</span>
                <span className={styles['coverPath']}>
                  {row.path.length > 0 && (
                    <span className={styles['dim']}>{row.path.slice(-2).map(visibleText).join(' › ')} › </span>
                  )}
                  <strong>{visibleText(row.function.name)}</strong>
                </span>
                <span className={styles['coverTransaction']}>{row.transaction === null ? '' : visibleText(row.transaction)}</span>
                {row.change ? <VerdictMark verdict={row.change.verdict} /> : <span className={styles['dim']}>not tested</span>}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
