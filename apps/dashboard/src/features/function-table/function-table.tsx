import { useVirtualizer } from '@tanstack/react-virtual';
import type { FunctionsAnswer } from '@hearth/query-contract';
import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { formatCount, formatIn, formatShare, scaleFor } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import { SortHeader } from '../../ui/sort-header.js';
import { functionHash, type FunctionHash } from '../../url-state/function-key.js';
import styles from './function-table.module.css';

export type FunctionSort = 'self' | 'total' | 'name';

interface FunctionTableProps {
  readonly answer: FunctionsAnswer;
  readonly sort: FunctionSort;
  readonly onSort: (sort: FunctionSort) => void;
  readonly selected: FunctionHash;
  readonly onSelect: (hash: FunctionHash) => void;
}

const ROW_PX = 28;

/** Self and total of every function; only the rows in sight exist. */
export function FunctionTable({ answer, sort, onSort, selected, onSelect }: FunctionTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => {
    const hashed = answer.functions.map((row) => ({ ...row, hash: functionHash(row) }));
    if (sort === 'name') hashed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    else hashed.sort((a, b) => b[sort] - a[sort]);
    return hashed;
  }, [answer, sort]);
  const scale = scaleFor(
    answer.unit,
    rows.reduce((largest, { total }) => Math.max(largest, total), 0),
  );
  const unit = scale.unit === '' ? '' : `, ${scale.unit}`;
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized by a compiler
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });

  const selectedRow = rows.findIndex(({ hash }) => hash === selected);
  useEffect(() => {
    if (selectedRow >= 0) virtual.scrollToIndex(selectedRow, { align: 'auto' });
  }, [selectedRow, virtual]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = rows[Math.max(0, Math.min(rows.length - 1, selectedRow + step))];
    if (next) onSelect(next.hash);
  };

  return (
    <div className={styles['table']} role="table" aria-label="Functions" aria-rowcount={rows.length + 1}>
      <div role="rowgroup">
        <div className={styles['head']} role="row">
          <span role="columnheader" aria-sort={sort === 'name' ? 'ascending' : 'none'}>
            <SortHeader column="name" sort={sort} onSort={onSort}>
              Function
            </SortHeader>
          </span>
          <span role="columnheader" aria-sort={sort === 'self' ? 'descending' : 'none'} className={styles['figure']}>
            <SortHeader column="self" sort={sort} onSort={onSort}>{`Self${unit}`}</SortHeader>
          </span>
          <span role="columnheader" className={styles['share']}>
            %
          </span>
          <span role="columnheader" aria-sort={sort === 'total' ? 'descending' : 'none'} className={styles['figure']}>
            <SortHeader column="total" sort={sort} onSort={onSort}>{`Total${unit}`}</SortHeader>
          </span>
          <span role="columnheader" className={styles['share']}>
            %
          </span>
        </div>
      </div>
      <div
        ref={scroller}
        className={styles['scroller']}
        role="rowgroup"
        tabIndex={0}
        aria-label="Rows of the function table"
        onKeyDown={onKeyDown}
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]!;
            return (
              <div
                key={index}
                role="row"
                aria-rowindex={index + 2}
                className={styles['row']}
                data-chosen={row.hash === selected}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => onSelect(row.hash === selected ? '' : row.hash)}
              >
                <span
                  role="cell"
                  className={styles['function']}
                  title={`${visibleText(row.name)}\n${[row.package, row.file].filter(Boolean).map(visibleText).join('  ')}`}
                >
                  <span className={styles['name']}>{visibleText(row.name)}</span>
                  <span className={styles['place']}>{visibleText(row.package || row.file)}</span>
                </span>
                <span role="cell" className={styles['figure']}>
                  {formatIn(scale, row.self)}
                </span>
                <span role="cell" className={styles['share']}>
                  {shareFigure(row.self, answer.sum)}
                </span>
                <span role="cell" className={styles['figure']}>
                  {formatIn(scale, row.total)}
                </span>
                <span role="cell" className={styles['share']}>
                  {shareFigure(row.total, answer.sum)}
                </span>
              </div>
            );
          })}
        </div>
      </div>
      {answer.count > rows.length && (
        <div className={styles['foot']}>
          The first {formatCount(rows.length)} of {formatCount(answer.count)} functions. Search to see others.
        </div>
      )}
    </div>
  );
}

function shareFigure(value: number, sum: number): string {
  return sum === 0 ? '' : formatShare(value / sum).replace(/\s*%$/, '');
}
