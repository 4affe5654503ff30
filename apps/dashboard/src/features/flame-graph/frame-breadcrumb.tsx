import { visibleText } from '../../format/visible-text.js';
import type { FlameTree } from './flame-tree.js';
import { pathTo } from './layout.js';
import styles from './flame-graph.module.css';

/** Steps shown at either end of a long path. */
const ENDS = 3;

/** Where the graph is zoomed to. Each step is a way back; the first one shows everything. */
export function FrameBreadcrumb({ tree, row, onZoom }: { tree: FlameTree; row: number; onZoom: (row: number) => void }) {
  const path = pathTo(tree.depth, row);
  const hidden = path.length > 2 * ENDS + 1 ? path.slice(ENDS, -ENDS) : [];
  const shown = path.filter((step) => !hidden.includes(step));
  return (
    <nav className={styles['breadcrumb']} aria-label="Zoomed frame">
      {shown.map((step, index) => (
        <span key={step} className={styles['step']}>
          {index > 0 && (
            <span className={styles['arrow']} aria-hidden="true">
              ›
            </span>
          )}
          {index === ENDS && hidden.length > 0 && <span className={styles['arrow']}>… {hidden.length} frames ›</span>}
          {step === row ? (
            <span className={styles['here']} aria-current="true">
              {visibleText(tree.functions[tree.functionRow[step]!]!.name)}
            </span>
          ) : (
            <button type="button" onClick={() => onZoom(step)}>
              {visibleText(tree.functions[tree.functionRow[step]!]!.name)}
            </button>
          )}
        </span>
      ))}
      {row !== 0 && (
        <button type="button" className={styles['reset']} onClick={() => onZoom(0)}>
          Reset zoom
        </button>
      )}
    </nav>
  );
}
