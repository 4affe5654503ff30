import { formatChangePct, formatIntervalPct } from '../format/quantity.js';
import styles from './interval-bar.module.css';

interface IntervalBarProps {
  readonly pct: number | null;
  readonly interval: readonly [number, number] | null;
  /** Largest change of the list, as a factor (2: doubled or halved): all bars of a list share one axis. */
  readonly axisFactor: number;
  /** Sure enough to be told: drawn full. Otherwise hollow. */
  readonly isSure: boolean;
  readonly widthPx?: number;
}

const HEIGHT_PX = 20;

/** A change and how sure we are of it: a dot, its interval, and the line where nothing changes. Doubling and halving are equally far from it. */
export function IntervalBar({ pct, interval, axisFactor, isSure, widthPx = 144 }: IntervalBarProps) {
  const middle = HEIGHT_PX / 2;
  const x = (value: number) => {
    const place = Math.log2(Math.max(1e-3, 1 + value / 100)) / Math.log2(axisFactor);
    return widthPx / 2 + Math.max(-1, Math.min(1, place)) * (widthPx / 2 - 4);
  };
  const fill = direction(interval);
  const text = `${formatChangePct(pct)}${interval ? `, 95 % interval ${formatIntervalPct(interval)}` : ''}`;
  return (
    <svg className={styles['bar']} width={widthPx} height={HEIGHT_PX} role="img" aria-label={text}>
      <line className={styles['zero']} x1={widthPx / 2} x2={widthPx / 2} y1={0} y2={HEIGHT_PX} />
      {interval && (
        <rect
          className={styles[fill]}
          data-sure={isSure}
          x={x(interval[0])}
          width={Math.max(2, x(interval[1]) - x(interval[0]))}
          y={middle - 4}
          height={8}
        />
      )}
      {pct !== null && <circle className={styles[`${fill}Dot`]} data-sure={isSure} cx={x(pct)} cy={middle} r={3} />}
    </svg>
  );
}

/** Colour only where the interval leaves no doubt about the direction. */
function direction(interval: readonly [number, number] | null): 'more' | 'less' | 'same' {
  if (!interval) return 'same';
  if (interval[0] > 0) return 'more';
  if (interval[1] < 0) return 'less';
  return 'same';
}

/** An axis that holds every change of a list. At least a third more or less, at most eightfold. */
export function axisFactorOf(
  changes: readonly { readonly deltaPct: number | null; readonly intervalPct: readonly [number, number] | null }[],
): number {
  let widest = Math.log2(1.33);
  for (const { deltaPct, intervalPct } of changes) {
    for (const pct of [deltaPct, ...(intervalPct ?? [])])
      if (pct !== null && pct > -99.9) widest = Math.max(widest, Math.abs(Math.log2(1 + pct / 100)));
  }
  return 2 ** Math.min(3, widest * 1.05);
}
