import type { Change, ComparisonResult, FunctionRow } from '@hearth/profile-diff';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import {
  formatChangePct,
  formatCount,
  formatDelta,
  formatIn,
  formatIntervalPct,
  formatProbability,
  scaleFor,
  type Scale,
} from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { axisFactorOf, IntervalBar } from '../../ui/interval-bar.js';
import { EmptyNotice } from '../../ui/notice.js';
import type { FunctionHash } from '../../url-state/function-key.js';
import { sureOfCover, VERDICTS, type FunctionChanges } from './verdicts.js';
import { VerdictMark } from './verdict-mark.js';
import styles from './comparison.module.css';

interface ChangeListProps {
  readonly result: ComparisonResult;
  readonly changes: readonly FunctionChanges[];
  readonly selected: FunctionHash;
  readonly selectedTransaction: string;
  readonly onSelect: (hash: FunctionHash, transaction: string) => void;
  /** Widens the list when nothing is left in it; `undefined` when it is as wide as it gets. */
  readonly onShowAll: (() => void) | undefined;
}

type Line =
  | { readonly kind: 'function' | 'transaction'; readonly hash: FunctionHash; readonly row: FunctionRow }
  | { readonly kind: 'facts'; readonly hash: FunctionHash; readonly row: FunctionRow };

const ROW_PX = 28;
/** Two lines and their margins; a third says how much longer to wait. */
const FACTS_PX = 60;
const FACT_LINE_PX = 20;

/** What changed, the surest and largest first: the page's main object. A selected function opens into its transactions. */
export function ChangeList({ result, changes, selected, selectedTransaction, onSelect, onShowAll }: ChangeListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(
    () =>
      changes.flatMap(({ hash, rows }): Line[] => {
        const head: Line = { kind: 'function', hash, row: rows[0]! };
        if (hash !== selected) return [head];
        const chosen = chosenRow(rows, selectedTransaction);
        return [
          head,
          ...rows.slice(1).map((row): Line => ({ kind: 'transaction', hash, row })),
          { kind: 'facts', hash, row: chosen },
        ];
      }),
    [changes, selected, selectedTransaction],
  );
  const axisFactor = useMemo(() => axisFactorOf(changes.slice(0, 200).map(({ rows }) => rows[0]!.change)), [changes]);
  const scale = scaleFor(
    result.unit,
    changes.reduce((largest, { rows }) => Math.max(largest, Math.abs(rows[0]!.change.delta)), 0),
  );
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    overscan: 8,
    estimateSize: (index) => heightPx(lines[index]!),
  });
  useEffect(() => virtual.measure(), [lines, virtual]);

  const open = changes.find(({ hash }) => hash === selected);
  const chosen = open && chosenRow(open.rows, selectedTransaction);
  const selectedLine = lines.findIndex(({ hash }) => hash === selected);
  useEffect(() => {
    if (selectedLine >= 0) virtual.scrollToIndex(selectedLine, { align: 'auto' });
  }, [selectedLine, virtual]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || changes.length === 0) return;
    event.preventDefault();
    const at = changes.findIndex(({ hash }) => hash === selected);
    const next = changes[Math.max(0, Math.min(changes.length - 1, at + step))]!;
    onSelect(next.hash, next.rows[0]!.transaction ?? '');
  };

  if (changes.length === 0) return <NothingChanged result={result} onShowAll={onShowAll} />;
  return (
    <div className={styles['list']} role="table" aria-label="Changes" aria-rowcount={lines.length + 1}>
      <div role="rowgroup">
        <div className={styles['listHead']} role="row">
          <span role="columnheader">Function</span>
          <span role="columnheader">Transaction</span>
          <span role="columnheader" className={styles['figure']}>
            Change{scale.unit === '' ? '' : `, ${scale.unit}`}
          </span>
          <span role="columnheader" className={styles['figure']}>
            %
          </span>
          <span role="columnheader">95 % interval</span>
          <span role="columnheader">Verdict</span>
        </div>
      </div>
      <div
        ref={scroller}
        className={styles['listScroller']}
        role="rowgroup"
        tabIndex={0}
        aria-label="Rows of the list of changes"
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = lines[index]!;
            const place = { transform: `translateY(${start}px)` };
            if (line.kind === 'facts')
              return (
                <Facts key={index} row={line.row} unit={result.unit} index={index} style={{ ...place, height: heightPx(line) }} />
              );
            return (
              <ChangeLine
                key={index}
                row={line.row}
                scale={scale}
                axisFactor={axisFactor}
                index={index}
                style={place}
                isHead={line.kind === 'function'}
                chosen={line.row === chosen}
                onSelect={() => (line.row === chosen ? onSelect('', '') : onSelect(line.hash, line.row.transaction ?? ''))}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function heightPx({ kind, row }: Line): number {
  if (kind !== 'facts') return ROW_PX;
  return FACTS_PX + (row.change.moreMinutesNeeded === null ? 0 : FACT_LINE_PX);
}

/** The selected function's row about the selected transaction; its strongest where there is none. */
function chosenRow(rows: readonly FunctionRow[], transaction: string): FunctionRow {
  return (transaction === '' ? undefined : rows.find((row) => row.transaction === transaction)) ?? rows[0]!;
}

interface ChangeLineProps {
  readonly row: FunctionRow;
  readonly scale: Scale;
  readonly axisFactor: number;
  readonly index: number;
  readonly style: React.CSSProperties;
  readonly isHead: boolean;
  readonly chosen: boolean;
  readonly onSelect: () => void;
}

function ChangeLine({ row, scale, axisFactor, index, style, isHead, chosen, onSelect }: ChangeLineProps) {
  const { function: key, change } = row;
  const place = visibleText(key.package || key.file);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={styles['line']}
      data-chosen={chosen}
      data-head={isHead}
      style={style}
      onClick={onSelect}
    >
      <span role="cell" className={styles['function']} title={`${visibleText(key.name)}\n${place}`}>
        {isHead && (
          <>
            <span className={styles['name']}>{visibleText(key.name)}</span>
            <span className={styles['place']}>{place}</span>
          </>
        )}
      </span>
      <span role="cell" className={styles['transaction']} title={row.transaction === null ? '' : visibleText(row.transaction)}>
        {row.transaction === null ? <span className={styles['dim']}>all</span> : visibleText(row.transaction)}
      </span>
      <span role="cell" className={styles['figure']}>
        {signedIn(scale, change.delta)}
      </span>
      <span role="cell" className={styles['figure']}>
        {change.deltaPct === null ? '' : formatChangePct(change.deltaPct).replace(/\s*%$/, '')}
      </span>
      <span role="cell">
        <IntervalBar
          pct={change.deltaPct}
          interval={change.intervalPct}
          axisFactor={axisFactor}
          isSure={VERDICTS[change.verdict].isAlarm}
          widthPx={120}
        />
      </span>
      <span role="cell">
        <VerdictMark verdict={change.verdict} />
      </span>
    </div>
  );
}

/** Everything known about the chosen row, in words. */
function Facts({
  row: { change, transaction, baselineShare, candidateShare, cause },
  unit,
  index,
  style,
}: {
  row: FunctionRow;
  unit: string;
  index: number;
  style: React.CSSProperties;
}) {
  return (
    <div role="row" aria-rowindex={index + 2} className={styles['facts']} style={style}>
      <div role="cell">
        <p>
          {transaction === null ? 'All transactions at fixed weights' : visibleText(transaction)}:{' '}
          {formatDelta(change.delta, unit)} per unit of work
          {change.deltaPct !== null && <>, {formatChangePct(change.deltaPct)}</>}
          {change.intervalPct && <>, 95 % interval {formatIntervalPct(change.intervalPct)}</>}
          {change.q !== null && <>, q {formatProbability(change.q)}</>}.
        </p>
        <p className={styles['dim']}>
          {formatCount(change.baselineSamples)} and {formatCount(change.candidateSamples)} samples;{' '}
          {(100 * baselineShare).toFixed(1)} % and {(100 * candidateShare).toFixed(1)} % of the service.
          {cause === 'callees' && ' The change comes from functions that it calls; they have rows of their own.'}
          {change.minimumDetectablePct !== null &&
            ` A change of ${formatChangePct(change.minimumDetectablePct).replace('+', '±')} would have been found.`}
        </p>
        {change.moreMinutesNeeded !== null && (
          <p className={styles['dim']}>
            About {formatCount(change.moreMinutesNeeded)} more minutes of both releases would settle it.
          </p>
        )}
      </div>
    </div>
  );
}

function NothingChanged({ result, onShowAll }: { result: ComparisonResult; onShowAll: (() => void) | undefined }) {
  const tested = result.variance.functionsTested;
  const isWholeSure = sureOfCover(result.cover) !== undefined;
  return (
    <EmptyNotice
      title={
        tested === 0
          ? 'Nothing could be tested'
          : isWholeSure
            ? 'No function that we could be sure of by itself'
            : 'No change that we could be sure of'
      }
      action={
        onShowAll && (
          <button type="button" className={styles['textButton']} onClick={onShowAll}>
            Show every function
          </button>
        )
      }
    >
      {tested === 0
        ? 'No function has enough samples on both sides. Let both releases run longer under load, or compare a longer range.'
        : `${formatCount(tested)} functions were tested. That is not the same as no change: every row says how small a change would have been found.`}
      {isWholeSure && ' Choose “With callees” to see what changed together with what it calls.'}
    </EmptyNotice>
  );
}

function signedIn(scale: Scale, delta: Change['delta']): string {
  const text = formatIn(scale, delta);
  return delta > 0 && text !== '0' ? `+${text}` : text;
}
