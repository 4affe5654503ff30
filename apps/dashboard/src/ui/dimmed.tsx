import type { CSSProperties, ReactNode } from 'react';
import styles from './dimmed.module.css';

/** Old data stays in its place, dimmed, while the new is on its way. */
export function Dimmed({ stale, children, style }: { stale: boolean; children: ReactNode; style?: CSSProperties }) {
  return (
    <div className={styles[stale ? 'stale' : 'fresh']} aria-busy={stale} style={style}>
      {children}
    </div>
  );
}
