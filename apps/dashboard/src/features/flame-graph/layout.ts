/** Columns of one length, in preorder: a frame, then its whole subtree. Row 0 is the root. */
export interface FlameColumns {
  readonly depth: Int32Array;
  /** What the frame is wide by itself, without its children; in the unit of the graph. */
  readonly self: Float64Array;
  /** Signed change of the frame as far as it is sure; all zero in a graph without two sides. */
  readonly change: Float64Array;
}

/**
 * Where every frame is. Made once per data set; everything after is a binary search.
 *
 *     row    0 total            level 0   places 0        levelStart 0 1 3 4
 *     row    1   read           level 1   places 1, 2
 *     row    2     decode       level 2   place 3
 *     row    3   parse          a place is a frame of its level, counted from left to right
 */
export interface FlameLayout {
  /** Length rows. Sum of `self` over the frame's subtree; never less than the sum of its children's. */
  readonly total: Float64Array;
  /** Length rows. Where the frame begins, as a value; the root begins at 0. */
  readonly left: Float64Array;
  /** Length levels + 1. Level d owns the places levelStart[d] .. levelStart[d + 1]. */
  readonly levelStart: Uint32Array;
  /** By place: the row there, and its two edges. */
  readonly rowAt: Uint32Array;
  readonly levelLeft: Float64Array;
  readonly levelRight: Float64Array;
  /** Length rows + 1. Sum of change over all places before this one: the change of any run is one subtraction. */
  readonly changeBefore: Float64Array;
}

/** Place every frame. About 20 ms at 100,000 rows; meant for a worker. */
export function layOut({ depth, self, change }: FlameColumns): FlameLayout {
  const rows = depth.length;
  let levels = 0;
  for (let row = 0; row < rows; row += 1) levels = Math.max(levels, depth[row]! + 1);

  const total = new Float64Array(rows);
  const waiting = new Float64Array(levels + 1); // per depth: totals of finished subtrees whose parent is still to come
  for (let row = rows - 1; row >= 0; row -= 1) {
    const level = depth[row]!;
    total[row] = self[row]! + waiting[level + 1]!;
    waiting[level + 1] = 0;
    waiting[level]! += total[row]!;
  }

  const left = new Float64Array(rows);
  const nextLeft = new Float64Array(levels + 1);
  const levelStart = new Uint32Array(levels + 1);
  for (let row = 0; row < rows; row += 1) {
    const level = depth[row]!;
    left[row] = nextLeft[level]!;
    nextLeft[level]! += total[row]!;
    nextLeft[level + 1] = left[row]!; // children begin where their parent does; its own value is the gap at their right
    levelStart[level + 1]! += 1;
  }
  for (let level = 0; level < levels; level += 1) levelStart[level + 1]! += levelStart[level]!;

  return { total, left, ...levelsOf({ depth, change }, left, total, levelStart) };
}

/** Frames whose places are known: as of a run, in which time passes between them. Those of one level are in order, and do not overlap. */
export function layOutAt(columns: FlameColumns, left: Float64Array, total: Float64Array): FlameLayout {
  const levels = columns.depth.reduce((most, depth) => Math.max(most, depth + 1), 0);
  const levelStart = new Uint32Array(levels + 1);
  for (const depth of columns.depth) levelStart[depth + 1]! += 1;
  for (let level = 0; level < levels; level += 1) levelStart[level + 1]! += levelStart[level]!;
  return { total, left, ...levelsOf(columns, left, total, levelStart) };
}

function levelsOf(
  { depth, change }: Pick<FlameColumns, 'depth' | 'change'>,
  left: Float64Array,
  total: Float64Array,
  levelStart: Uint32Array,
): Omit<FlameLayout, 'total' | 'left'> {
  const rows = depth.length;
  const rowAt = new Uint32Array(rows);
  const levelLeft = new Float64Array(rows);
  const levelRight = new Float64Array(rows);
  const changeBefore = new Float64Array(rows + 1);
  const nextPlace = levelStart.slice();
  for (let row = 0; row < rows; row += 1) {
    const place = nextPlace[depth[row]!]!;
    nextPlace[depth[row]!] = place + 1;
    rowAt[place] = row;
    levelLeft[place] = left[row]!;
    levelRight[place] = left[row]! + total[row]!;
  }
  for (let place = 0; place < rows; place += 1) changeBefore[place + 1] = changeBefore[place]! + change[rowAt[place]!]!;
  return { levelStart, rowAt, levelLeft, levelRight, changeBefore };
}

export function levelCount(layout: FlameLayout): number {
  return layout.levelStart.length - 1;
}

/** First place in [from, to) whose right edge is beyond `value`; `to` if there is none. */
export function firstEndingAfter(levelRight: Float64Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (levelRight[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The row at a value of a level; −1 where no frame is. */
export function pickRow(layout: FlameLayout, level: number, value: number): number {
  if (level < 0 || level >= levelCount(layout)) return -1;
  const end = layout.levelStart[level + 1]!;
  const place = firstEndingAfter(layout.levelRight, value, layout.levelStart[level]!, end);
  return place < end && layout.levelLeft[place]! <= value ? layout.rowAt[place]! : -1;
}

/** A run ends when it is this many times as wide as a frame that may stand alone: a band of short runs still shows where a change is. */
const RUN_WIDTHS = 4;

/** The part of the graph that fills the width: `[from, to)`, as values. */
export interface FlameView {
  readonly from: number;
  readonly to: number;
}

/** Called for each box of a level: one frame (`end` = `first` + 1), or a run of neighbours too narrow to be drawn apart. */
export type AddBox = (first: number, end: number, left: number, right: number) => void;

/**
 * The boxes of one level that can be seen, from left to right.
 *
 * @param narrow As a value: frames below it are merged with their neighbours into runs.
 */
export function forEachBox(layout: FlameLayout, level: number, view: FlameView, narrow: number, add: AddBox): void {
  const { levelStart, levelLeft, levelRight } = layout;
  const end = levelStart[level + 1]!;
  let place = firstEndingAfter(levelRight, view.from, levelStart[level]!, end);
  while (place < end && levelLeft[place]! < view.to) {
    const first = place;
    if (levelRight[place]! - levelLeft[place]! >= narrow) {
      place += 1;
      add(first, place, levelLeft[first]!, levelRight[first]!);
      continue;
    }
    let right = levelRight[place]!;
    const furthest = levelLeft[first]! + RUN_WIDTHS * narrow;
    while (
      place < end &&
      levelRight[place]! - levelLeft[place]! < narrow &&
      levelLeft[place]! <= right + narrow &&
      levelLeft[place]! < furthest
    ) {
      // Three pixels at a time: what ends within them is narrow too, and a million boxes cost a few hundred steps.
      place = Math.max(place + 1, firstEndingAfter(levelRight, levelLeft[place]! + narrow, place, end));
      right = levelRight[place - 1]!;
    }
    add(first, place, levelLeft[first]!, right);
  }
}

/** Signed change of the places [first, end): a regression must not vanish into its neighbours. */
export function changeOf(layout: FlameLayout, first: number, end: number): number {
  return layout.changeBefore[end]! - layout.changeBefore[first]!;
}

/** The rows from the root to `row`, both included. */
export function pathTo(depth: Int32Array, row: number): number[] {
  const path = [row];
  for (let level = depth[row]! - 1, above = row - 1; level >= 0; above -= 1) {
    if (depth[above] !== level) continue;
    path.push(above);
    level -= 1;
  }
  return path.reverse();
}

/** The frames called by `row`, left to right. */
export function childrenOf(depth: Int32Array, row: number): number[] {
  const children: number[] = [];
  for (let below = row + 1; below < depth.length && depth[below]! > depth[row]!; below += 1) {
    if (depth[below] === depth[row]! + 1) children.push(below);
  }
  return children;
}
