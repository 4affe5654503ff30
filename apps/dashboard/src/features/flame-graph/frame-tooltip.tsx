import { useLayoutEffect, useRef } from 'react';
import { formatChangePct, formatCount, formatDelta, formatQuantity, formatShare } from '../../format/quantity.js';
import { visibleText } from '../../format/visible-text.js';
import type { FlameTree } from './flame-tree.js';
import type { FlameLayout } from './layout.js';
import styles from './flame-graph.module.css';

/** What the pointer is over. */
export interface Hover {
  readonly row: number;
  /** Frames merged into the box under the pointer; 1 for a box of its own. */
  readonly run: number;
  /** Signed change of the run. */
  readonly runChange: number;
  /** The box, in pixels of the graph's frame. */
  readonly outline: { readonly left: number; readonly top: number; readonly width: number };
  readonly clientX: number;
  readonly clientY: number;
}

const DISTANCE_PX = 16;

export function FrameTooltip({ tree, layout, hover }: { tree: FlameTree; layout: FlameLayout; hover: Hover }) {
  const element = useRef<HTMLDivElement>(null);
  // Beside the pointer, on the side that has room; measured, because names differ in length.
  useLayoutEffect(() => {
    const box = element.current!.getBoundingClientRect();
    const left =
      hover.clientX + DISTANCE_PX + box.width > innerWidth
        ? hover.clientX - DISTANCE_PX - box.width
        : hover.clientX + DISTANCE_PX;
    const top =
      hover.clientY + DISTANCE_PX + box.height > innerHeight
        ? hover.clientY - DISTANCE_PX - box.height
        : hover.clientY + DISTANCE_PX;
    element.current!.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  });
  const key = tree.functions[tree.functionRow[hover.row]!]!;
  return (
    <div ref={element} className={styles['tooltip']} aria-hidden="true">
      <div className={styles['name']}>{visibleText(key.name)}</div>
      <div className={styles['place']}>{placeOf(key.package, key.file)}</div>
      {tree.sides ? <BothSides tree={tree} row={hover.row} /> : <OneSide tree={tree} layout={layout} row={hover.row} />}
      {tree.isTimed && (
        <div className={styles['note']}>
          From {formatQuantity(layout.left[hover.row], tree.unit)} to{' '}
          {formatQuantity(layout.left[hover.row]! + layout.total[hover.row]!, tree.unit)}
        </div>
      )}
      {hover.run > 1 && (
        <div className={styles['note']}>
          One of {formatCount(hover.run)} frames too narrow to be drawn apart
          {tree.sides && `, together ${formatDelta(hover.runChange, tree.unit)}`}. Zoom in to see them.
        </div>
      )}
    </div>
  );
}

/** `express lib/router/index.js`, or what there is of it. */
export function placeOf(packageName: string, file: string): string {
  return [packageName, file]
    .filter((part) => part !== '')
    .map(visibleText)
    .join('  ');
}

function OneSide({ tree, layout, row }: { tree: FlameTree; layout: FlameLayout; row: number }) {
  const sum = layout.total[0]!;
  return (
    <table className={styles['figures']}>
      <tbody>
        {(
          [
            ['Self', tree.self[row]!],
            ['Total', layout.total[row]!],
          ] as const
        ).map(([title, value]) => (
          <tr key={title}>
            <th>{title}</th>
            <td>{formatQuantity(value, tree.unit)}</td>
            <td>{formatShare(sum === 0 ? 0 : value / sum)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function BothSides({ tree, row }: { tree: FlameTree; row: number }) {
  const sides = tree.sides!;
  const lines = [
    ['Self', sides.baselineSelf[row]!, sides.candidateSelf[row]!],
    ['Total', sides.baselineTotal[row]!, sides.candidateTotal[row]!],
  ] as const;
  return (
    <>
      <table className={styles['figures']}>
        <thead>
          <tr>
            <th />
            <th>Baseline</th>
            <th>Candidate</th>
            <th>Change</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {lines.map(([title, baseline, candidate]) => (
            <tr key={title}>
              <th>{title}</th>
              <td>{formatQuantity(baseline, tree.unit)}</td>
              <td>{formatQuantity(candidate, tree.unit)}</td>
              <td>{formatDelta(candidate - baseline, tree.unit)}</td>
              <td>
                {baseline === 0
                  ? candidate === 0
                    ? ''
                    : 'new'
                  : candidate === 0
                    ? 'gone'
                    : formatChangePct(100 * (candidate / baseline - 1))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {row !== 0 && sides.tested && (
        <div className={styles['note']}>Certainty that the function changed: {formatShare(sides.confidence[row]!)}</div>
      )}
    </>
  );
}
