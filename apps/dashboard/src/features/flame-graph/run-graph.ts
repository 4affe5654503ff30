import type { FunctionKey } from '@hearth/profile-model';
import type { ExemplarAnswer } from '@hearth/query-contract';
import { functionHash } from '../../url-state/function-key.js';
import { withSpecialRows, type FlameTree } from './flame-tree.js';
import { layOutAt, type FlameLayout } from './layout.js';
import { packagePaint } from './paint.js';

/** Samples that follow each other so soon are one visit to the functions that both are in: timers are not exact. */
const JITTER_MICROS = 1_000;
const NO_FRAMES: FunctionKey = { name: '(no frames)', package: 'native', file: '' };

/** What of a run the graph is made of. */
export type RanAnswer = Pick<
  ExemplarAnswer,
  'transaction' | 'durationMicros' | 'functions' | 'stacks' | 'samples' | 'sampleCount' | 'keptSampleCount'
>;

export interface RunGraph {
  readonly tree: FlameTree;
  readonly layout: FlameLayout;
}

/** What a run ran, in the order of time: frames stand where their samples were, and where none was is nothing. */
export function runGraph(answer: RanAnswer): RunGraph {
  const { functions, stacks, samples, durationMicros, transaction } = answer;
  const named = functions.name.map((name, row): FunctionKey => ({
    name,
    package: functions.package[row] ?? '',
    file: functions.file[row] ?? '',
  }));
  const noFrames = named.push(NO_FRAMES) - 1;
  // Of a long run every second sample is kept, or every fourth: each stands for those beside it, too.
  const each = Math.max(1, answer.sampleCount / Math.max(1, answer.keptSampleCount));
  const length = Math.max(1, durationMicros);
  const [depth, left, right, functionOf] = [[0], [0], [length], [0]];
  /** From the root down: the frames that the sample before was in. */
  let open: { readonly stack: number; readonly row: number }[] = [];
  let untilMicros = -Infinity;
  for (let sample = 0; sample < samples.stack.length; sample += 1) {
    const from = samples.startMicros[sample]!;
    const next = samples.startMicros[sample + 1] ?? length;
    const to = Math.min(from + each * Math.max(samples.wallMicros[sample]!, samples.cpuMicros[sample]!), next, length);
    if (!(to > from)) continue;
    const path = stacksRootFirst(stacks.parent, samples.stack[sample]!);
    let shared = 0;
    if (from - untilMicros <= JITTER_MICROS) while (shared < open.length && open[shared]!.stack === path[shared]) shared += 1;
    open = open.slice(0, shared);
    for (const { row } of open) right[row] = to;
    for (const stack of path.slice(shared)) {
      const row = depth.push(open.length + 1) - 1;
      left.push(from);
      right.push(to);
      functionOf.push(stack < 0 ? noFrames : stacks.function[stack]!);
      open.push({ stack, row });
    }
    untilMicros = to;
  }
  const total = Float64Array.from(right, (end, row) => end - left[row]!);
  const { functions: allFunctions, functionRow } = withSpecialRows(named, functionOf, {
    name: transaction,
    package: '',
    file: '',
  });
  const paintOf = allFunctions.map(packagePaint);
  const tree: FlameTree = {
    unit: 'microseconds',
    depth: Int32Array.from(depth),
    self: selfOf(depth, total),
    change: new Float64Array(depth.length),
    functionRow,
    functions: allFunctions,
    hashes: allFunctions.map(functionHash),
    paint: Uint8Array.from(functionRow, (row) => paintOf[row]!),
    sides: null,
    isTimed: true,
  };
  return { tree, layout: layOutAt(tree, Float64Array.from(left), total) };
}

/** Stacks from the first caller to this one; a sample without frames is in one that is no stack. */
function stacksRootFirst(parent: readonly number[], stack: number): number[] {
  const path: number[] = [stack];
  // A parent is before its child: anything else would be a circle.
  for (let row = stack; row >= 0; row = parent[row]!) {
    const above = parent[row]!;
    if (above < 0 || above >= row) break;
    path.push(above);
  }
  return path.reverse();
}

function selfOf(depth: readonly number[], total: Float64Array): Float64Array {
  const self = total.slice();
  const above: number[] = [];
  depth.forEach((level, row) => {
    above[level] = row;
    if (level > 0) self[above[level - 1]!]! -= total[row]!;
  });
  return self;
}
