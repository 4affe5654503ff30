import type { FunctionKey } from '@hearth/profile-model';
import type { ComparisonResult } from '@hearth/profile-diff';
import type { FlameGraphAnswer } from '@hearth/query-contract';
import { functionHash, type FunctionHash } from '../../url-state/function-key.js';
import { changePaint, changeWeight, packagePaint } from './paint.js';
import type { FlameColumns } from './layout.js';

/** A call tree ready to be drawn: columns for the layout, and what each frame is called and painted with. */
export interface FlameTree extends FlameColumns {
  readonly unit: string;
  /** Row in `functions` and `hashes`, by row. */
  readonly functionRow: Int32Array;
  readonly functions: readonly FunctionKey[];
  readonly hashes: readonly FunctionHash[];
  /** Row in the palette of paint.ts. */
  readonly paint: Uint8Array;
  /** Only in a comparison: both sides, by row. */
  readonly sides: FlameSides | null;
  /** Frames stand where they ran: what lies between them is time, too. */
  readonly isTimed?: true;
}

export interface FlameSides {
  readonly baselineSelf: Float64Array;
  readonly baselineTotal: Float64Array;
  readonly candidateSelf: Float64Array;
  readonly candidateTotal: Float64Array;
  readonly confidence: Float64Array;
  /** False when no function of the comparison was tested (levels): nothing is known about certainty, and nothing is faded for it. */
  readonly tested: boolean;
}

export const ROOT_NAME = 'total';
const TRUNCATED_NAME = '(truncated)';
/** Frames that are no functions: negative rows of an answer. */
const ROOT: FunctionKey = { name: ROOT_NAME, package: '', file: '' };
const TRUNCATED: FunctionKey = { name: TRUNCATED_NAME, package: 'native', file: '' };

export function flameTree(answer: FlameGraphAnswer): FlameTree {
  const named = answer.names.map((name, row): FunctionKey => ({
    name,
    package: answer.packages[row] ?? '',
    file: answer.files[row] ?? '',
  }));
  const { functions, functionRow } = withSpecialRows(named, answer.name);
  const paintOf = Uint8Array.from(functions, packagePaint);
  return {
    unit: answer.unit,
    depth: Int32Array.from(answer.depth),
    self: Float64Array.from(answer.self),
    change: new Float64Array(answer.depth.length),
    functionRow,
    functions,
    hashes: functions.map(functionHash),
    paint: Uint8Array.from(functionRow, (row) => paintOf[row]!),
    sides: null,
  };
}

/**
 * The union of both sides. A frame is by itself as wide as the larger of its two self values, so that what was
 * removed and what is new both have room; a parent is as wide as all of its children need.
 */
export function diffTree({ tree, unit }: ComparisonResult): FlameTree {
  const { functions, functionRow } = withSpecialRows(tree.functions, tree.functionRow);
  const sides: FlameSides = {
    baselineSelf: Float64Array.from(tree.baselineSelf),
    baselineTotal: Float64Array.from(tree.baselineTotal),
    candidateSelf: Float64Array.from(tree.candidateSelf),
    candidateTotal: Float64Array.from(tree.candidateTotal),
    confidence: Float64Array.from(tree.confidence),
    tested: tree.confidence.some((confidence) => confidence > 0),
  };
  return {
    unit,
    depth: Int32Array.from(tree.depth),
    self: sides.baselineSelf.map((baseline, row) => Math.max(baseline, sides.candidateSelf[row]!)),
    change: sides.candidateTotal.map(
      (candidate, row) => (candidate - sides.baselineTotal[row]!) * (sides.tested ? changeWeight(sides.confidence[row]!) : 1),
    ),
    functionRow,
    functions,
    hashes: functions.map(functionHash),
    paint: Uint8Array.from(sides.baselineTotal, (baseline, row) =>
      changePaint(baseline, sides.candidateTotal[row]!, sides.tested ? sides.confidence[row]! : 0.95),
    ),
    sides,
  };
}

/** The row at the end of a path of function hashes, or as far down it as this tree goes. */
export function rowOfPath(tree: FlameTree, path: readonly FunctionHash[]): number {
  let found = 0;
  let level = 1;
  for (let row = 1; row < tree.depth.length && level <= path.length; row += 1) {
    const depth = tree.depth[row]!;
    if (depth < level) break; // the subtree of what was found has ended
    if (depth === level && tree.hashes[tree.functionRow[row]!] === path[level - 1]) {
      found = row;
      level += 1;
    }
  }
  return found;
}

/** @param root - What row 0 is called. */
export function withSpecialRows(
  named: readonly FunctionKey[],
  rows: readonly number[],
  root = ROOT,
): { functions: FunctionKey[]; functionRow: Int32Array } {
  const functions = [...named, root, TRUNCATED];
  const functionRow = Int32Array.from(rows, (row, index) =>
    index === 0 ? named.length : row < 0 || row >= named.length ? named.length + 1 : row,
  );
  return { functions, functionRow };
}
