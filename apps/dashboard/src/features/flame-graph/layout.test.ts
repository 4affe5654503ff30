import { describe, expect, it } from 'vitest';
import {
  changeOf,
  childrenOf,
  firstEndingAfter,
  forEachBox,
  layOut,
  levelCount,
  pathTo,
  pickRow,
  type FlameColumns,
} from './layout.js';

/** One line per frame, indented by two spaces a level: `name self change`. */
function columnsFromText(text: string): FlameColumns {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const indent = lines[0]!.search(/\S/);
  const cells = lines.map((line) => line.trim().split(/\s+/));
  return {
    depth: Int32Array.from(lines, (line) => (line.search(/\S/) - indent) / 2),
    self: Float64Array.from(cells, (cell) => Number(cell[1] ?? 0)),
    change: Float64Array.from(cells, (cell) => Number(cell[2] ?? 0)),
  };
}

/** Seeded, so that a failure can be run again. */
function randomColumns(seed: number, rows: number): FlameColumns {
  let state = seed;
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const depth = new Int32Array(rows);
  for (let row = 1; row < rows; row += 1) depth[row] = 1 + Math.floor(next() * Math.min(40, depth[row - 1]! + 1));
  return {
    depth,
    self: Float64Array.from({ length: rows }, () => (next() < 0.5 ? 0 : Math.floor(next() ** 6 * 1000))),
    change: Float64Array.from({ length: rows }, () => Math.floor(next() * 21) - 10),
  };
}

describe('layOut', () => {
  it('puts children under their parent from its left edge, its own value at their right', () => {
    const layout = layOut(
      columnsFromText(`
      total  0
        read  2
          decode  3
        parse  5
    `),
    );
    expect([...layout.total]).toEqual([10, 5, 3, 5]);
    expect([...layout.left]).toEqual([0, 0, 0, 5]);
    expect([...layout.levelStart]).toEqual([0, 1, 3, 4]);
    expect([...layout.rowAt]).toEqual([0, 1, 3, 2]);
  });
  it('keeps the sum of self as the total of the root', () => {
    for (const seed of [1, 2, 3]) {
      const columns = randomColumns(seed, 5000);
      const sum = columns.self.reduce((all, self) => all + self, 0);
      expect(layOut(columns).total[0]).toBe(sum);
    }
  });
  it('lays out a root alone, and nothing', () => {
    expect(levelCount(layOut(columnsFromText('total 7')))).toBe(1);
    expect(levelCount(layOut({ depth: new Int32Array(), self: new Float64Array(), change: new Float64Array() }))).toBe(0);
  });
});

describe('pickRow', () => {
  it('finds what a linear scan finds', () => {
    for (const seed of [11, 12, 13]) {
      const columns = randomColumns(seed, 3000);
      const layout = layOut(columns);
      const scan = (level: number, value: number) =>
        columns.depth.findIndex(
          (depth, row) => depth === level && layout.left[row]! <= value && value < layout.left[row]! + layout.total[row]!,
        );
      for (let pick = 0; pick < 300; pick += 1) {
        const level = pick % (levelCount(layout) + 1);
        const value = (layout.total[0]! * ((pick * 7919) % 1009)) / 1009;
        expect(pickRow(layout, level, value), `seed ${seed}, level ${level}, value ${value}`).toBe(scan(level, value));
      }
    }
  });
  it('gives the right neighbour at a shared edge and nothing beyond the last', () => {
    const layout = layOut(
      columnsFromText(`
      total  0
        a  4
        b  6
    `),
    );
    expect([3.999, 4, 9.999, 10].map((value) => pickRow(layout, 1, value))).toEqual([1, 2, 2, -1]);
    expect(pickRow(layout, 2, 1)).toBe(-1);
  });
});

describe('forEachBox', () => {
  const boxes = (columns: FlameColumns, level: number, from: number, to: number, narrow: number) => {
    const layout = layOut(columns);
    const found: { first: number; end: number; left: number; right: number; change: number }[] = [];
    forEachBox(layout, level, { from, to }, narrow, (first, end, left, right) =>
      found.push({ first, end, left, right, change: changeOf(layout, first, end) }),
    );
    return found;
  };

  it('leaves out what is outside the view', () => {
    const columns = columnsFromText(`
      total  0
        a  10
        b  10
        c  10
        d  10
    `);
    expect(boxes(columns, 1, 10, 30, 1).map((box) => box.left)).toEqual([10, 20]);
    expect(boxes(columns, 1, 9.9, 30.1, 1).map((box) => box.left)).toEqual([0, 10, 20, 30]);
  });
  it('gives a run the signed sum of what it hides', () => {
    const columns: FlameColumns = {
      depth: Int32Array.from({ length: 1002 }, (_, row) => (row === 0 ? 0 : 1)),
      self: Float64Array.from({ length: 1002 }, (_, row) => (row === 0 ? 0 : row === 1001 ? 1000 : 0.01)),
      change: Float64Array.from({ length: 1002 }, (_, row) => (row === 500 ? 2 : row === 501 ? -1 : 0)),
    };
    const found = boxes(columns, 1, 0, 1010, 3);
    expect(found.map((box) => box.end - box.first)).toEqual([1000, 1]);
    expect(found.map((box) => box.change)).toEqual([1, 0]);
  });
  it('ends a long run, so that a change keeps its place', () => {
    const columns: FlameColumns = {
      depth: Int32Array.from({ length: 1001 }, (_, row) => Number(row > 0)),
      self: Float64Array.from({ length: 1001 }, (_, row) => Number(row > 0)),
      change: new Float64Array(1001),
    };
    const found = boxes(columns, 1, 0, 1000, 10);
    expect(found.length).toBeGreaterThan(20);
    expect(found.reduce((sum, box) => sum + box.end - box.first, 0)).toBe(1000);
  });
  it('shows every frame of the view once, whatever the width', () => {
    const columns = randomColumns(21, 4000);
    const layout = layOut(columns);
    for (const narrow of [0, 1, 50, 1e9]) {
      for (let level = 0; level < levelCount(layout); level += 1) {
        let next = layout.levelStart[level]!;
        forEachBox(layout, level, { from: 0, to: layout.total[0]! }, narrow, (first, end) => {
          // Frames of no width at an edge may be left out; nothing that has a width may be.
          for (; next < first; next += 1) expect(layout.levelRight[next]! - layout.levelLeft[next]!).toBe(0);
          next = end;
        });
        for (; next < layout.levelStart[level + 1]!; next += 1)
          expect(layout.levelRight[next]! - layout.levelLeft[next]!).toBe(0);
      }
    }
  });
});

describe('firstEndingAfter', () => {
  it('finds the first right edge beyond a value', () => {
    const rights = Float64Array.of(1, 2, 2, 5);
    expect([0, 1, 2, 5].map((value) => firstEndingAfter(rights, value, 0, 4))).toEqual([0, 1, 3, 4]);
  });
});

describe('walking', () => {
  const { depth } = columnsFromText(`
    total
      a
        b
        c
      d
        e
  `);
  it('goes up to the root', () => expect(pathTo(depth, 5)).toEqual([0, 4, 5]));
  it('goes down one level', () => {
    expect(childrenOf(depth, 0)).toEqual([1, 4]);
    expect(childrenOf(depth, 1)).toEqual([2, 3]);
    expect(childrenOf(depth, 5)).toEqual([]);
  });
});
