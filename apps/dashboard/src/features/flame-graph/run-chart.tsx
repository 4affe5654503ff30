import type { ExemplarAnswer } from '@hearth/query-contract';
import { useDeferredValue, useMemo, useState } from 'react';
import { visibleText } from '../../format/visible-text.js';
import { ROW_HEIGHT_PX } from './draw.js';
import { FlameCanvas } from './flame-canvas.js';
import { FrameSearch } from './frame-search.js';
import { levelCount, type FlameLayout, type FlameView } from './layout.js';
import { runGraph } from './run-graph.js';
import { matchFrames } from './search.js';
import styles from './flame-graph.module.css';

/** More is scrolled. */
const MOST_LEVELS = 22;

interface RunChartProps {
  readonly answer: ExemplarAnswer;
  /** Microseconds of the run. */
  readonly view: FlameView;
  readonly onView: (view: FlameView) => void;
  readonly search: string;
  readonly onSearch: (text: string) => void;
}

/** What ran in a run, when: as a flame graph, but from left to right is time, and what is empty is time in which nothing of it ran. */
export function RunChart({ answer, view, onView, search, onSearch }: RunChartProps) {
  const { tree, layout } = useMemo(() => runGraph(answer), [answer]);
  const deferredSearch = useDeferredValue(search);
  const matches = useMemo(() => matchFrames(tree, layout, deferredSearch, ''), [tree, layout, deferredSearch]);
  // A frame and what it calls may be of one time: the view does not tell which of them was meant.
  const [zoomed, setZoomed] = useState(0);
  const zoomRow = useMemo(() => (isOfView(layout, zoomed, view) ? zoomed : rowOfView(layout, view)), [layout, zoomed, view]);
  const zoomTo = (row: number) => {
    setZoomed(row);
    onView({ from: layout.left[row]!, to: layout.left[row]! + layout.total[row]! });
  };
  return (
    <>
      <FrameSearch search={search} onSearch={onSearch} matches={matches} />
      <div className={styles['run']} style={{ height: Math.min(MOST_LEVELS, levelCount(layout)) * ROW_HEIGHT_PX }}>
        <FlameCanvas
          tree={tree}
          layout={layout}
          view={view}
          zoomRow={zoomRow}
          onZoom={zoomTo}
          onPick={zoomTo}
          matches={matches}
          framed={undefined}
          label={`What ran in ${visibleText(answer.transaction)}, in the order of time`}
        />
      </div>
    </>
  );
}

/** The first frame that fills the width; 0 where it is a part of time that is no frame's. */
function rowOfView(layout: FlameLayout, view: FlameView): number {
  return Math.max(
    0,
    layout.left.findIndex((_, row) => isOfView(layout, row, view)),
  );
}

function isOfView({ left, total }: FlameLayout, row: number, { from, to }: FlameView): boolean {
  return left[row] === from && left[row] + total[row]! === to;
}
