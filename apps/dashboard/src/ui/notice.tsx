import type { ReactNode } from 'react';
import styles from './notice.module.css';

interface NoticeProps {
  readonly title: string;
  /** What it means and what to do. */
  readonly children?: ReactNode;
  /** Buttons or links that do it. */
  readonly action?: ReactNode;
}

/** Nothing to show, and why, and what to do about it. */
export function EmptyNotice({ title, children, action }: NoticeProps) {
  return (
    <div className={styles['notice']}>
      <h2>{title}</h2>
      {children && <p className={styles['text']}>{children}</p>}
      {action && <div className={styles['action']}>{action}</div>}
    </div>
  );
}

/** Something failed: what, with the code that the docs explain, and what to do. */
export function ErrorNotice({ title, children, action, code }: NoticeProps & { readonly code?: string }) {
  return (
    <div className={styles['notice']} role="alert">
      <h2>
        <span className={styles['mark']} aria-hidden="true">
          !
        </span>
        {title}
      </h2>
      {children && <p className={styles['text']}>{children}</p>}
      {code && <code className={styles['code']}>{code}</code>}
      {action && <div className={styles['action']}>{action}</div>}
    </div>
  );
}

/** One line inside a page: a caveat about what is shown. */
export function Caveat({ children }: { children: ReactNode }) {
  return (
    <div className={styles['caveat']}>
      <span className={styles['mark']} aria-hidden="true">
        !
      </span>
      <span>{children}</span>
    </div>
  );
}

/** Grey lines in the geometry of what will come. */
export function SkeletonRows({ rows, label }: { rows: number; label: string }) {
  return (
    <div role="status" aria-label={label} className={styles['skeleton']}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={styles['bone']} style={{ width: `${90 - ((row * 37) % 50)}%` }} />
      ))}
    </div>
  );
}
