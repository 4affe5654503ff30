import { visibleText } from '../../format/visible-text.js';
import type { FlameTree } from './flame-tree.js';
import { changeOf, forEachBox, levelCount, type FlameLayout, type FlameView } from './layout.js';
import { palette, runPaint, type ColorScheme } from './paint.js';
import type { FlameMatches } from './search.js';

/** Height of one level, with the gap below it. */
export const ROW_HEIGHT_PX = 20;
/** Frames below this width are merged into runs. */
export const NARROW_PX = 3;
const GAP_PX = 1;
const TEXT_PX = 6;
/** A box with less room than this shows no text: two letters say nothing. */
const LEAST_TEXT_PX = 24;
const FONT = '11px Inter, ui-sans-serif, system-ui, sans-serif';

export interface Drawing {
  readonly tree: FlameTree;
  readonly layout: FlameLayout;
  readonly view: FlameView;
  /** Of the canvas, in CSS pixels. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scrollTopPx: number;
  readonly scheme: ColorScheme;
  readonly grow: 'down' | 'up';
  /** What a search found: the rest is faded. */
  readonly matches: FlameMatches | undefined;
  /** The frames of the selected function: framed, and nothing is faded. */
  readonly selected: FlameMatches | undefined;
}

interface Label {
  readonly row: number;
  readonly x: number;
  readonly y: number;
  readonly widthPx: number;
}

/** Draw what can be seen: culled by binary search, one path and one fill for each colour. The context is already scaled to CSS pixels. */
export function drawFlameGraph(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { tree, layout, view, widthPx, heightPx, scrollTopPx, scheme, matches, selected } = drawing;
  const pixels = widthPx / (view.to - view.from);
  const paints = palette(scheme);
  const bright: (Path2D | undefined)[] = [];
  const faded: (Path2D | undefined)[] = [];
  const hatched = new Path2D();
  const edged = new Path2D();
  const framed = new Path2D();
  const labels: Label[] = [];

  const [firstLevel, endLevel] = visibleLevels(drawing);
  for (let level = firstLevel; level < endLevel; level += 1) {
    const y = levelTopPx(drawing, level) - scrollTopPx;
    forEachBox(layout, level, view, NARROW_PX / pixels, (first, end, left, right) => {
      const x = Math.max(0, (left - view.from) * pixels);
      const width = Math.max(0.5, Math.min(widthPx, (right - view.from) * pixels) - x - (end - first > 1 ? 0 : GAP_PX));
      const row = layout.rowAt[first]!;
      const isRun = end - first > 1;
      // Children stand by size: the first of a run is among its largest, and its file stands for the rest.
      const paint = isRun && tree.sides ? runPaint(changeOf(layout, first, end), right - left) : tree.paint[row]!;
      const paths = matches && !hides(matches, first, end) ? faded : bright;
      (paths[paint] ??= new Path2D()).rect(x, y, width, ROW_HEIGHT_PX - GAP_PX);
      if (selected && hides(selected, first, end)) framed.rect(x + 1, y + 1, Math.max(1, width - 2), ROW_HEIGHT_PX - GAP_PX - 2);
      if (isRun) return;
      if (tree.sides && row !== 0) {
        if (tree.sides.candidateTotal[row] === 0) hatched.rect(x, y, width, ROW_HEIGHT_PX - GAP_PX);
        else if (tree.sides.baselineTotal[row] === 0)
          edged.rect(x + 0.75, y + 0.75, Math.max(0.5, width - 1.5), ROW_HEIGHT_PX - GAP_PX - 1.5);
      }
      if (width >= LEAST_TEXT_PX) labels.push({ row, x, y, widthPx: width });
    });
  }

  context.clearRect(0, 0, widthPx, heightPx);
  context.globalAlpha = 0.3;
  faded.forEach((path, paint) => path && fill(context, path, paints[paint]!.fill));
  context.globalAlpha = 1;
  bright.forEach((path, paint) => path && fill(context, path, paints[paint]!.fill));
  if (tree.sides) {
    fill(context, hatched, hatch(context, scheme));
    context.strokeStyle = scheme === 'light' ? '#141418' : '#ffffff';
    context.lineWidth = 1.5;
    context.stroke(edged);
  }
  drawLabels(context, drawing, labels);
  if (selected) {
    context.strokeStyle = scheme === 'light' ? '#000000' : '#ffffff';
    context.lineWidth = 2;
    context.stroke(framed);
  }
}

function hides(matches: FlameMatches, first: number, end: number): boolean {
  return matches.matchesBefore[end] !== matches.matchesBefore[first];
}

/** Levels that the canvas shows, `[first, end)`. */
function visibleLevels(drawing: Drawing): [number, number] {
  const levels = levelCount(drawing.layout);
  const top = Math.floor(drawing.scrollTopPx / ROW_HEIGHT_PX);
  const bottom = Math.ceil((drawing.scrollTopPx + drawing.heightPx) / ROW_HEIGHT_PX);
  return drawing.grow === 'down'
    ? [Math.max(0, top), Math.min(levels, bottom)]
    : [Math.max(0, levels - bottom), Math.min(levels, levels - top)];
}

/** Top of a level within the whole graph, before scrolling. */
export function levelTopPx({ layout, grow }: Pick<Drawing, 'layout' | 'grow'>, level: number): number {
  return (grow === 'down' ? level : levelCount(layout) - 1 - level) * ROW_HEIGHT_PX;
}

/** Level at a height within the whole graph; may lie outside it. */
export function levelAtPx({ layout, grow }: Pick<Drawing, 'layout' | 'grow'>, y: number): number {
  const fromTop = Math.floor(y / ROW_HEIGHT_PX);
  return grow === 'down' ? fromTop : levelCount(layout) - 1 - fromTop;
}

function fill(context: CanvasRenderingContext2D, path: Path2D, style: string | CanvasPattern): void {
  context.fillStyle = style;
  context.fill(path);
}

function drawLabels(context: CanvasRenderingContext2D, { tree, scheme, matches }: Drawing, labels: readonly Label[]): void {
  context.font = FONT;
  context.textBaseline = 'middle';
  const paints = palette(scheme);
  const plain = scheme === 'light' ? '#141418' : '#ececf0';
  for (const { row, x, y, widthPx } of labels) {
    const functionRow = tree.functionRow[row]!;
    const isFaded = matches !== undefined && matches.functionMatches[functionRow] === 0;
    const text = fit(context, directionMark(tree, row) + tree.functions[functionRow]!.name, widthPx - 2 * TEXT_PX);
    if (text === '') continue;
    context.globalAlpha = isFaded ? 0.6 : 1;
    context.fillStyle = isFaded ? plain : paints[tree.paint[row]!]!.text;
    context.fillText(text, x + TEXT_PX, y + (ROW_HEIGHT_PX - GAP_PX) / 2 + 0.5);
  }
  context.globalAlpha = 1;
}

/** The second channel of a change, for who cannot tell the hues apart. Small or doubtful changes have none, as they have no colour. */
function directionMark({ sides }: FlameTree, row: number): string {
  if (!sides || row === 0) return '';
  const baseline = sides.baselineTotal[row]!;
  const candidate = sides.candidateTotal[row]!;
  if (baseline === 0) return '+ ';
  if (candidate === 0) return '× ';
  if (sides.tested && sides.confidence[row]! < 0.9) return '';
  const factor = Math.log2(candidate / baseline);
  return factor >= 0.03 ? '▲ ' : factor <= -0.03 ? '▼ ' : '';
}

const widths = new Map<string, number>();

function fit(context: CanvasRenderingContext2D, raw: string, roomPx: number): string {
  let width = widths.get(raw);
  const text = visibleText(raw);
  if (width === undefined) {
    if (widths.size > 50_000) widths.clear();
    width = context.measureText(text).width;
    widths.set(raw, width);
  }
  if (width <= roomPx) return text;
  const characters = Array.from(text); // by code points: an emoji is not cut in two
  const kept = Math.floor((characters.length * (roomPx - 8)) / width);
  return kept < 2 ? '' : `${characters.slice(0, kept).join('')}…`;
}

const hatches = new Map<ColorScheme, CanvasPattern>();

/** Diagonal lines: what is drawn under them is no longer there. */
function hatch(context: CanvasRenderingContext2D, scheme: ColorScheme): CanvasPattern {
  let pattern = hatches.get(scheme);
  if (!pattern) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const lines = tile.getContext('2d')!;
    lines.strokeStyle = scheme === 'light' ? 'rgb(255 255 255 / 0.6)' : 'rgb(0 0 0 / 0.45)';
    lines.lineWidth = 1.5;
    for (const offset of [-6, 0, 6]) {
      lines.moveTo(offset, 6);
      lines.lineTo(offset + 6, 0);
    }
    lines.stroke();
    pattern = context.createPattern(tile, 'repeat')!;
    hatches.set(scheme, pattern);
  }
  return pattern;
}
