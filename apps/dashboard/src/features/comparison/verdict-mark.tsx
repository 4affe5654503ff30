import type { Verdict } from '@hearth/profile-diff';
import { VERDICTS } from './verdicts.js';
import styles from './comparison.module.css';

export function VerdictMark({ verdict }: { verdict: Verdict }) {
  const { title, mark, tone } = VERDICTS[verdict];
  return (
    <span className={styles['verdict']} data-tone={tone}>
      <span className={styles['mark']} data-drawn={'+×?'.includes(mark)} aria-hidden="true">
        {mark}
      </span>
      {title}
    </span>
  );
}
