import { useComputedColorScheme } from '@mantine/core';
import {
  useCallback,
  useDeferredValue,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from 'react';
import { formatShare } from '../../format/quantity.js';
import { pathText, readPath, type FunctionHash } from '../../url-state/function-key.js';
import { SearchBox } from '../../ui/search-box.js';
import { drawFlameGraph, levelAtPx, levelTopPx, NARROW_PX, ROW_HEIGHT_PX, type Drawing } from './draw.js';
import { rowOfPath, type FlameTree } from './flame-tree.js';
import { FrameBreadcrumb } from './frame-breadcrumb.js';
import { FrameTooltip, type Hover } from './frame-tooltip.js';
import { FrameTwin } from './frame-twin.js';
import { childrenOf, forEachBox, levelCount, pathTo, pickRow, type FlameLayout } from './layout.js';
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
  const scheme = useComputedColorScheme('light');
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ widthPx: 0, heightPx: 0 });
  const [hover, setHover] = useState<Hover>();
  const id = useId();

  const zoomRow = useMemo(() => rowOfPath(tree, readPath(zoom)), [tree, zoom]);
  const [active, setActive] = useState(zoomRow);
  const [lastZoomRow, setLastZoomRow] = useState(zoomRow);
  // Zoomed from elsewhere, by a link or a list: walking goes on from there.
  if (zoomRow !== lastZoomRow) {
    setLastZoomRow(zoomRow);
    setActive(zoomRow);
  }
  const activeRow = active < tree.depth.length ? active : 0;
  const deferredSearch = useDeferredValue(search);
  const matches = useMemo(() => matchFrames(tree, layout, deferredSearch, ''), [tree, layout, deferredSearch]);
  const framed = useMemo(() => matchFrames(tree, layout, '', selected), [tree, layout, selected]);
  const view = useMemo(
    () => ({ from: layout.left[zoomRow]!, to: layout.left[zoomRow]! + layout.total[zoomRow]! }),
    [layout, zoomRow],
  );
  const fullHeightPx = levelCount(layout) * ROW_HEIGHT_PX;

  const drawing = useCallback(
    (): Drawing => ({
      tree,
      layout,
      view,
      ...size,
      scrollTopPx: scroller.current?.scrollTop ?? 0,
      scheme,
      grow,
      matches,
      selected: framed,
    }),
    [tree, layout, view, size, scheme, grow, matches, framed],
  );
  const draw = useCallback(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || size.widthPx === 0) return;
    const startMs = performance.now();
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawFlameGraph(context, drawing());
    performance.measure('flame-graph-redraw', { start: startMs });
  }, [drawing, size.widthPx]);

  useLayoutEffect(() => {
    const element = scroller.current!;
    const observer = new ResizeObserver(() => setSize({ widthPx: element.clientWidth, heightPx: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(draw, [draw]);
  useEffect(() => {
    if (grow === 'up') scroller.current!.scrollTop = fullHeightPx;
  }, [grow, fullHeightPx]);

  const scrollTo = useCallback(
    (row: number) => {
      const element = scroller.current!;
      const top = levelTopPx({ layout, grow }, tree.depth[row]!);
      if (top < element.scrollTop) element.scrollTop = top - ROW_HEIGHT_PX;
      else if (top + ROW_HEIGHT_PX > element.scrollTop + element.clientHeight) element.scrollTop = top - element.clientHeight / 2;
    },
    [tree, layout, grow],
  );

  // A function selected elsewhere is brought into sight: its widest frame.
  useEffect(() => {
    if (selected === '') return;
    let widest = -1;
    for (let row = 0; row < tree.depth.length; row += 1) {
      if (tree.hashes[tree.functionRow[row]!] === selected && (widest < 0 || layout.total[row]! > layout.total[widest]!))
        widest = row;
    }
    if (widest >= 0) scrollTo(widest);
  }, [selected, tree, layout, scrollTo]);

  const zoomTo = (row: number) => {
    setActive(row);
    const path = pathTo(tree.depth, row)
      .slice(1)
      .map((step) => tree.hashes[tree.functionRow[step]!]!);
    onZoom(pathText(path));
  };

  const hoverAt = (event: PointerEvent): Hover | undefined => {
    const box = canvas.current!.getBoundingClientRect();
    const level = levelAtPx({ layout, grow }, event.clientY - box.top + scroller.current!.scrollTop);
    const perPixel = (view.to - view.from) / size.widthPx;
    const value = view.from + (event.clientX - box.left) * perPixel;
    const row = pickRow(layout, level, value);
    if (row < 0) return undefined;
    const top = levelTopPx({ layout, grow }, level) - scroller.current!.scrollTop;
    const at = { clientX: event.clientX, clientY: event.clientY };
    let found: Hover | undefined;
    forEachBox(layout, level, view, NARROW_PX * perPixel, (first, end, left, right) => {
      if (value < left || value >= right) return;
      const x = Math.max(0, (left - view.from) / perPixel);
      const outline = {
        left: x + scroller.current!.offsetLeft,
        top: top + scroller.current!.offsetTop,
        width: Math.min(size.widthPx, (right - view.from) / perPixel) - x,
      };
      found = { row, run: end - first, runChange: runChange(tree, layout, first, end), outline, ...at };
    });
    return found;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const target = keyTarget(event.key, { tree, layout, activeRow, zoomRow, grow });
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setHover(undefined);
    if (target.zoom) zoomTo(target.row);
    else {
      setActive(target.row);
      if (tree.depth[target.row]! < tree.depth[zoomRow]!) zoomTo(target.row);
    }
    scrollTo(target.row);
  };

  const activeOutline = outlineOf(activeRow, { layout, tree, view, grow, widthPx: size.widthPx, scrollTopPx: 0 });
  return (
    <div className={styles['graph']}>
      <div className={styles['bar']}>
        <SearchBox
          value={search}
          onChange={onSearch}
          label="Search frames"
          placeholder="Search name, file, package or /pattern/"
        />
        <span className={styles['share']} role="status">
          {matches && shareText(matches)}
        </span>
      </div>
      <FrameBreadcrumb tree={tree} row={zoomRow} onZoom={zoomTo} />
      <div
        ref={scroller}
        className={styles['scroller']}
        role="tree"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={`${id}-${activeRow}`}
        onScroll={draw}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => setHover(hoverAt(event))}
        onPointerLeave={() => setHover(undefined)}
        onClick={() => {
          if (!hover) return;
          zoomTo(hover.row);
          onSelect(hover.row === 0 ? '' : tree.hashes[tree.functionRow[hover.row]!]!);
        }}
      >
        <div className={styles['full']} style={{ height: Math.max(fullHeightPx, size.heightPx) }} role="presentation">
          <Canvas canvas={canvas} {...size} />
          {activeOutline && <div className={styles['active']} style={activeOutline} />}
          <FrameTwin id={id} tree={tree} layout={layout} row={activeRow} />
        </div>
      </div>
      {hover && <FrameTooltip tree={tree} layout={layout} hover={hover} />}
      {hover && <HoverOutline outline={hover.outline} />}
    </div>
  );
}

function Canvas({
  canvas,
  widthPx,
  heightPx,
}: {
  canvas: React.RefObject<HTMLCanvasElement | null>;
  widthPx: number;
  heightPx: number;
}) {
  const ratio = window.devicePixelRatio || 1;
  return (
    <canvas
      ref={canvas}
      className={styles['canvas']}
      aria-hidden="true"
      width={Math.round(widthPx * ratio)}
      height={Math.round(heightPx * ratio)}
      style={{ width: widthPx, height: heightPx }}
    />
  );
}

/** Over the canvas, so that hovering redraws nothing. */
function HoverOutline({ outline: { left, top, width } }: { outline: Hover['outline'] }) {
  return <div className={styles['hover']} style={{ left, top, width: Math.max(2, width), height: ROW_HEIGHT_PX - 1 }} />;
}

function outlineOf(
  row: number,
  { layout, tree, view, grow, widthPx }: Pick<Drawing, 'layout' | 'tree' | 'view' | 'grow' | 'widthPx' | 'scrollTopPx'>,
) {
  const pixels = widthPx / (view.to - view.from);
  const left = Math.max(0, (layout.left[row]! - view.from) * pixels);
  const right = Math.min(widthPx, (layout.left[row]! + layout.total[row]! - view.from) * pixels);
  if (!(right > left)) return undefined;
  return {
    left,
    width: Math.max(2, right - left - 1),
    top: levelTopPx({ layout, grow }, tree.depth[row]!),
    height: ROW_HEIGHT_PX - 1,
  };
}

/** What the frames of a run changed by in all, sure or not. */
function runChange({ sides }: FlameTree, { rowAt }: FlameLayout, first: number, end: number): number {
  let sum = 0;
  if (sides)
    for (let place = first; place < end; place += 1)
      sum += sides.candidateTotal[rowAt[place]!]! - sides.baselineTotal[rowAt[place]!]!;
  return sum;
}

function shareText({ functions, share, baselineShare, candidateShare }: NonNullable<ReturnType<typeof matchFrames>>): string {
  if (functions === 0) return 'No frame matches';
  const names = functions === 1 ? '1 function' : `${functions.toLocaleString('en-US')} functions`;
  const shares = baselineShare === null ? formatShare(share) : `${formatShare(baselineShare)} → ${formatShare(candidateShare)}`;
  return `${names}, ${shares} of total`;
}

interface KeyContext {
  readonly tree: FlameTree;
  readonly layout: FlameLayout;
  readonly activeRow: number;
  readonly zoomRow: number;
  readonly grow: 'down' | 'up';
}

/** Arrows walk the frames, Enter zooms, Escape goes one zoom back, Home shows all. `undefined`: the key is not ours. */
function keyTarget(
  key: string,
  { tree, layout, activeRow, zoomRow, grow }: KeyContext,
): { row: number; zoom: boolean } | undefined {
  const { depth } = tree;
  const parent = pathTo(depth, activeRow).at(-2) ?? 0;
  const inward = grow === 'down' ? 'ArrowDown' : 'ArrowUp';
  switch (key) {
    case 'ArrowDown':
    case 'ArrowUp': {
      if (key !== inward) return { row: parent, zoom: false };
      const children = childrenOf(depth, activeRow);
      if (children.length === 0) return { row: activeRow, zoom: false };
      return {
        row: children.reduce((widest, child) => (layout.total[child]! > layout.total[widest]! ? child : widest)),
        zoom: false,
      };
    }
    case 'ArrowLeft':
    case 'ArrowRight': {
      if (activeRow === zoomRow) return { row: activeRow, zoom: false };
      const siblings = childrenOf(depth, parent);
      const next = siblings.indexOf(activeRow) + (key === 'ArrowLeft' ? -1 : 1);
      return { row: siblings[next] ?? activeRow, zoom: false };
    }
    case 'Enter':
      return { row: activeRow, zoom: true };
    case 'Escape':
      return zoomRow === 0 ? undefined : { row: pathTo(depth, zoomRow).at(-2) ?? 0, zoom: true };
    case 'Home':
      return { row: 0, zoom: true };
    default:
      return undefined;
  }
}
