import { NO_PARENT } from '@hearth/profile-model';
import type { FunctionId } from './call-nodes.js';
import type { FunctionMetric } from './comparison-result.js';
import type { SideCosts, SideRate } from './side-rate.js';
import { SideSums } from './side-sums.js';
import type { ExposedColumns, SummedInput } from './side-sums.js';
import { kindOfTransaction } from './work-plan.js';
import type { WorkKind } from './work-plan.js';

/** `WorkPlan.kinds` row, or all kinds at their weights. */
export type WorkScope = number;
export const WHOLE: WorkScope = -1;
/** Stands for a function id: everything there is. */
export const ROOT = -1;

export interface RatePair {
  readonly scope: WorkScope;
  /** `ROOT` for everything there is. */
  readonly functionId: FunctionId;
  readonly metric: FunctionMetric;
  readonly baseline: SideRate;
  readonly candidate: SideRate;
}

export interface Rates {
  readonly pairs: readonly RatePair[];
  /** By function: 1 where a pair was made of it, for one metric and scope at least. */
  readonly exposed: Uint8Array;
  readonly baseline: SideCosts;
  readonly candidate: SideCosts;
}

export interface RatesInput extends SummedInput {
  readonly minSamples: number;
}

/** Costs per unit of work of every function with enough samples, for each kind of work and for the whole. */
export function functionRates(input: RatesInput): Rates {
  const { nodes, plan, minSamples } = input;
  const columns = exposedColumns(input);
  const sides = {
    baseline: new SideSums(input, 'baseline', columns),
    candidate: new SideSums(input, 'candidate', columns),
  };
  const pairs: RatePair[] = [];
  plan.kinds.forEach((kind, scope) => {
    sides.baseline.readKind(scope);
    sides.candidate.readKind(scope);
    for (const metric of METRICS) {
      for (let column = 0; column <= columns.length; column += 1) {
        if (column === columns.length && metric === 'self') continue; // the root has only a total
        const samples = sides.baseline.samples(metric, column) + sides.candidate.samples(metric, column);
        if (samples === 0) continue;
        const expected = expectedSamples(samples, kind);
        sides.baseline.addToWhole(metric, column, kind.baseline, kind.weight, expected.baseline);
        sides.candidate.addToWhole(metric, column, kind.candidate, kind.weight, expected.candidate);
        if (plan.kinds.length === 1 || Math.min(expected.baseline, expected.candidate) < minSamples) continue;
        pairs.push({
          scope,
          functionId: columns.functionOf[column] ?? ROOT,
          metric,
          baseline: sides.baseline.rateOfKind(metric, column, kind.baseline, expected.baseline),
          candidate: sides.candidate.rateOfKind(metric, column, kind.candidate, expected.candidate),
        });
      }
    }
  });
  for (const metric of METRICS) {
    for (let column = 0; column <= columns.length; column += 1) {
      const baseline = sides.baseline.rateOfWhole(metric, column);
      const candidate = sides.candidate.rateOfWhole(metric, column);
      if (Math.min(baseline.expectedSamples, candidate.expectedSamples) < Math.max(minSamples, Number.MIN_VALUE)) continue;
      pairs.push({ scope: WHOLE, functionId: columns.functionOf[column] ?? ROOT, metric, baseline, candidate });
    }
  }
  const exposed = new Uint8Array(nodes.functions.length);
  for (const { functionId } of pairs) if (functionId !== ROOT) exposed[functionId] = 1;
  return { pairs, exposed, baseline: sides.baseline.costs(), candidate: sides.candidate.costs() };
}

const METRICS = ['self', 'inclusive'] as const;

/** If nothing changed, samples fall on the sides as the work does. */
function expectedSamples(samples: number, kind: WorkKind): { baseline: number; candidate: number } {
  const work = kind.baseline.total + kind.candidate.total;
  return { baseline: (samples * kind.baseline.total) / work, candidate: (samples * kind.candidate.total) / work };
}

function exposedColumns({ nodes, plan, baseline, candidate, minSamples }: RatesInput): ExposedColumns {
  const samplesOfNode = new Float64Array(nodes.length);
  for (const { samples } of [baseline, candidate]) {
    samples.stack.forEach((stack, at) => {
      if (stack !== NO_PARENT && kindOfTransaction(plan, samples.transaction[at]!) !== -1)
        samplesOfNode[nodes.nodeOfStack[stack]!]! += samples.count[at]!;
    });
  }
  const samplesOfFunction = new Float64Array(nodes.functions.length);
  for (let node = nodes.length - 1; node >= 0; node -= 1) {
    if (nodes.outermost[node] === 1) samplesOfFunction[nodes.functionId[node]!]! += samplesOfNode[node]!;
    const caller = nodes.parent[node]!;
    if (caller !== NO_PARENT) samplesOfNode[caller]! += samplesOfNode[node]!;
  }
  const columnOf = new Int32Array(nodes.functions.length).fill(-1);
  const functionOf: FunctionId[] = [];
  samplesOfFunction.forEach((samples, id) => {
    if (nodes.roles[id] !== 'code' || samples === 0 || samples < 2 * minSamples) return;
    columnOf[id] = functionOf.push(id) - 1;
  });
  return { length: functionOf.length, functionOf, columnOf };
}
