import { useComputedColorScheme } from '@mantine/core';
import {
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from 'react';
import { drawFlameGraph, levelAtPx, levelTopPx, NARROW_PX, ROW_HEIGHT_PX, type Drawing } from './draw.js';
import type { FlameTree } from './flame-tree.js';
import { FrameTooltip, type Hover } from './frame-tooltip.js';
import { FrameTwin } from './frame-twin.js';
import { childrenOf, forEachBox, levelCount, pathTo, pickRow, type FlameLayout, type FlameView } from './layout.js';
import type { FlameMatches } from './search.js';
import styles from './flame-graph.module.css';

interface FlameCanvasProps {
  readonly tree: FlameTree;
  readonly layout: FlameLayout;
  /** What fills the width. */
  readonly view: FlameView;
  /** The frame that does; 0 where none does exactly. */
  readonly zoomRow: number;
  readonly onZoom: (row: number) => void;
  /** A frame was clicked. */
  readonly onPick: (row: number) => void;
  readonly matches: FlameMatches | undefined;
  readonly framed: FlameMatches | undefined;
  /** A frame that is scrolled to when it changes; -1: none. */
  readonly inSight?: number;
  readonly grow?: 'down' | 'up';
  /** Read out as the name of the graph. */
  readonly label: string;
}

/** The frames on a canvas that is as large as what can be seen; every one can be reached by keyboard and read out. */
export function FlameCanvas({
  tree,
  layout,
  view,
  zoomRow,
  onZoom,
  onPick,
  matches,
  framed,
  inSight = -1,
  grow = 'down',
  label,
}: FlameCanvasProps) {
  const scheme = useComputedColorScheme('light');
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ widthPx: 0, heightPx: 0 });
  const [hover, setHover] = useState<Hover>();
  const id = useId();

  const [active, setActive] = useState(zoomRow);
  const [lastZoomRow, setLastZoomRow] = useState(zoomRow);
  // Zoomed from elsewhere, by a link or a list: walking goes on from there.
  if (zoomRow !== lastZoomRow) {
    setLastZoomRow(zoomRow);
    setActive(zoomRow);
  }
  const activeRow = active < tree.depth.length ? active : 0;
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

  useEffect(() => {
    if (inSight >= 0) scrollTo(inSight);
  }, [inSight, scrollTo]);

  const zoomTo = (row: number) => {
    setActive(row);
    onZoom(row);
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

  const activeOutline = outlineOf(activeRow, { layout, tree, view, grow, widthPx: size.widthPx });
  return (
    <>
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
          setActive(hover.row);
          onPick(hover.row);
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
    </>
  );
}

function Canvas({
  canvas,
  widthPx,
  heightPx,
}: {
  canvas: RefObject<HTMLCanvasElement | null>;
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
  { layout, tree, view, grow, widthPx }: Pick<Drawing, 'layout' | 'tree' | 'view' | 'grow' | 'widthPx'>,
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
