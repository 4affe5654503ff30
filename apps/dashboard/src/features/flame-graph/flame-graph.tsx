import { useDeferredValue, useMemo } from 'react';
import { pathText, readPath, type FunctionHash } from '../../url-state/function-key.js';
import { FlameCanvas } from './flame-canvas.js';
import { rowOfPath, type FlameTree } from './flame-tree.js';
import { FrameBreadcrumb } from './frame-breadcrumb.js';
import { FrameSearch } from './frame-search.js';
import { pathTo, type FlameLayout } from './layout.js';
import { matchFrames } from './search.js';
import { useLayout } from './use-layout.js';
import styles from './flame-graph.module.css';

export interface FlameGraphProps {
  readonly tree: FlameTree;
  /** Path of the frame that fills the width, as in the URL; '' for the whole graph. */
  readonly zoom: string;
  readonly onZoom: (path: string) => void;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  /** Function framed everywhere; '' for none. */
  readonly selected: FunctionHash;
  readonly onSelect: (hash: FunctionHash) => void;
  readonly grow?: 'down' | 'up';
  /** Read out as the name of the graph. */
  readonly label: string;
}

/** An icicle on a canvas that is as large as what can be seen; layout in a worker; every frame can be reached by keyboard and read out. */
export function FlameGraph(props: FlameGraphProps) {
  const laidOut = useLayout(props.tree);
  // The first layout takes milliseconds: the frame of the picture is there already, so nothing jumps.
  if (!laidOut) return <div className={styles['graph']} aria-busy="true" />;
  return <LaidOutFlameGraph {...props} tree={laidOut.tree} layout={laidOut.layout} />;
}

function LaidOutFlameGraph({
  tree,
  layout,
  zoom,
  onZoom,
  search,
  onSearch,
  selected,
  onSelect,
  grow = 'down',
  label,
}: FlameGraphProps & { layout: FlameLayout }) {
  const zoomRow = useMemo(() => rowOfPath(tree, readPath(zoom)), [tree, zoom]);
  const deferredSearch = useDeferredValue(search);
  const matches = useMemo(() => matchFrames(tree, layout, deferredSearch, ''), [tree, layout, deferredSearch]);
  const framed = useMemo(() => matchFrames(tree, layout, '', selected), [tree, layout, selected]);
  const view = useMemo(
    () => ({ from: layout.left[zoomRow]!, to: layout.left[zoomRow]! + layout.total[zoomRow]! }),
    [layout, zoomRow],
  );
  const zoomTo = (row: number) => {
    const path = pathTo(tree.depth, row)
      .slice(1)
      .map((step) => tree.hashes[tree.functionRow[step]!]!);
    onZoom(pathText(path));
  };
  // A function selected elsewhere is brought into sight: its widest frame.
  const widest = useMemo(() => {
    let found = -1;
    if (selected === '') return found;
    for (let row = 0; row < tree.depth.length; row += 1) {
      if (tree.hashes[tree.functionRow[row]!] === selected && (found < 0 || layout.total[row]! > layout.total[found]!))
        found = row;
    }
    return found;
  }, [selected, tree, layout]);
  return (
    <div className={styles['graph']}>
      <FrameSearch search={search} onSearch={onSearch} matches={matches} />
      <FrameBreadcrumb tree={tree} row={zoomRow} onZoom={zoomTo} />
      <FlameCanvas
        tree={tree}
        layout={layout}
        view={view}
        zoomRow={zoomRow}
        onZoom={zoomTo}
        onPick={(row) => {
          zoomTo(row);
          onSelect(row === 0 ? '' : tree.hashes[tree.functionRow[row]!]!);
        }}
        matches={matches}
        framed={framed}
        inSight={widest}
        grow={grow}
        label={label}
      />
    </div>
  );
}
