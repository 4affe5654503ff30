import { NO_PARENT } from '@hearth/profile-model';
import type { CallNodes, FunctionId } from './call-nodes.js';
import type { CanonicalSide } from './compared-side.js';
import type { FunctionMetric } from './comparison-result.js';
import type { SideCosts, SideRate } from './side-rate.js';
import type { ReplicatePlan, Replicates } from './replicates.js';
import { kindOfTransaction } from './work-plan.js';
import type { WorkDone, WorkPlan } from './work-plan.js';

/** What is summed: both sides, and how their samples belong to work and replicates. */
export interface SummedInput {
  readonly nodes: CallNodes;
  readonly plan: WorkPlan;
  readonly replicates: ReplicatePlan;
  readonly baseline: CanonicalSide;
  readonly candidate: CanonicalSide;
}

/** Functions that can have enough samples at all; only these get columns by replicate. */
export interface ExposedColumns {
  readonly length: number;
  readonly functionOf: readonly FunctionId[];
  /** By function; -1: no column. */
  readonly columnOf: Int32Array;
}

/** Sums by (column, replicate) of one kind of work, and of the whole so far. */
class MetricSums {
  readonly values: Float64Array;
  readonly samples: Float64Array;
  readonly wholeRate: Float64Array;
  readonly wholeSamples: Float64Array;
  readonly wholeExpected: Float64Array;
  /** What each replicate adds to the rate beyond its share. */
  readonly wholeExcess: Float64Array;
  readonly wholeShare: Float64Array;
  readonly wholeCounting: Float64Array;

  constructor(columns: number, replicates: number) {
    [this.samples, this.wholeRate, this.wholeSamples, this.wholeExpected] = Array.from(
      { length: 4 },
      () => new Float64Array(columns),
    ) as FourColumns;
    [this.values, this.wholeExcess, this.wholeShare, this.wholeCounting] = Array.from(
      { length: 4 },
      () => new Float64Array(columns * replicates),
    ) as FourColumns;
  }
}
type FourColumns = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Columns by node, empty between groups: a group touches few nodes, so they are cleared by walking those. */
interface NodeScratch {
  readonly isIdle: Uint8Array;
  readonly isTouched: Uint8Array;
  readonly value: Float64Array;
  readonly samples: Float64Array;
  readonly valueBelow: Float64Array;
  readonly samplesBelow: Float64Array;
  /** Nodes, as many as were touched. */
  readonly touched: Int32Array;
}

function nodeScratch({ length, functionId, roles }: CallNodes): NodeScratch {
  const column = (): Float64Array => new Float64Array(length);
  return {
    isIdle: Uint8Array.from(functionId, (id) => (roles[id] === 'idle' ? 1 : 0)),
    isTouched: new Uint8Array(length),
    value: column(),
    samples: column(),
    valueBelow: column(),
    samplesBelow: column(),
    touched: new Int32Array(length),
  };
}

/** Reads one side kind by kind: sums of a kind live until the next is read, and what the whole needs of them is kept. */
export class SideSums {
  readonly #nodes: CallNodes;
  readonly #plan: WorkPlan;
  readonly #side: CanonicalSide;
  readonly #sideName: 'baseline' | 'candidate';
  readonly #replicates: Replicates;
  readonly #columns: ExposedColumns;
  readonly #groups: SampleGroups;
  readonly #sums: Record<FunctionMetric, MetricSums>;
  readonly #scratch: NodeScratch;
  readonly #kindNodeSelf: Float64Array;
  readonly #nodeSelf: Float64Array;
  readonly #kindValue: Float64Array;
  /** The same for every function of a kind. */
  #kindShares = { share: new Float64Array(0), countingPerSample: new Float64Array(0) };
  #rootSelf = 0;
  #idle = 0;

  constructor(input: SummedInput, sideName: 'baseline' | 'candidate', columns: ExposedColumns) {
    this.#nodes = input.nodes;
    this.#plan = input.plan;
    this.#side = input[sideName];
    this.#sideName = sideName;
    this.#replicates = input.replicates[sideName];
    this.#columns = columns;
    this.#groups = groupSamples(this.#side, this.#plan, this.#replicates);
    const width = columns.length + 1;
    this.#sums = {
      self: new MetricSums(width, this.#replicates.length),
      inclusive: new MetricSums(width, this.#replicates.length),
    };
    this.#scratch = nodeScratch(this.#nodes);
    this.#kindNodeSelf = new Float64Array(this.#nodes.length);
    this.#nodeSelf = new Float64Array(this.#nodes.length);
    this.#kindValue = new Float64Array(this.#plan.kinds.length);
  }

  readKind(kindRow: number): void {
    for (const { values, samples } of Object.values(this.#sums)) {
      values.fill(0);
      samples.fill(0);
    }
    this.#kindNodeSelf.fill(0);
    let rootSelf = 0;
    let idle = 0;
    for (let replicate = 0; replicate < this.#replicates.length; replicate += 1) {
      const unowned = this.#readGroup(kindRow, replicate);
      rootSelf += unowned.rootSelf;
      idle += unowned.idle;
    }
    const kind = this.#plan.kinds[kindRow]!;
    const work = kind[this.#sideName];
    const share = work.byReplicate.map((done) => done / work.total);
    this.#kindShares = { share, countingPerSample: share.map((one) => 1 / one) };
    if (work.total === 0) return;
    const perUnit = kind.weight / work.total;
    this.#rootSelf += rootSelf * perUnit;
    this.#idle += idle * perUnit;
    this.#kindNodeSelf.forEach((value, node) => {
      if (value !== 0) this.#nodeSelf[node]! += value * perUnit;
    });
  }

  /** Sums the stacks of one replicate's samples, then what lies on each path to the root, every node once. */
  #readGroup(kindRow: number, replicate: number): { rootSelf: number; idle: number } {
    // Locals: this loop and the next see every sample, and fields would be looked up each time.
    const { samples } = this.#side;
    const { nodeOfStack, parent } = this.#nodes;
    const { isIdle, isTouched, value: nodeValue, samples: nodeSamples, touched } = this.#scratch;
    const kindNodeSelf = this.#kindNodeSelf;
    const unowned = { rootSelf: 0, idle: 0 };
    let total = 0;
    let totalSamples = 0;
    let touchedCount = 0;
    const rows = this.#groups.rowsOf(kindRow, replicate);
    for (let row = 0; row < rows.length; row += 1) {
      const at = rows[row]!;
      const value = samples.value[at]!;
      const stack = samples.stack[at]!;
      const node = stack === NO_PARENT ? NO_PARENT : nodeOfStack[stack]!;
      if (node !== NO_PARENT && isIdle[node] === 1) {
        unowned.idle += value;
        continue;
      }
      const count = samples.count[at]!;
      total += value;
      totalSamples += count;
      if (node === NO_PARENT) {
        unowned.rootSelf += value;
        continue;
      }
      nodeValue[node]! += value;
      nodeSamples[node]! += count;
      kindNodeSelf[node]! += value;
      for (let above = node; above !== NO_PARENT && isTouched[above] === 0; above = parent[above]!) {
        isTouched[above] = 1;
        touched[touchedCount] = above;
        touchedCount += 1;
      }
    }
    this.#foldToCallers(touchedCount, replicate);
    const root = this.#columns.length;
    this.#sums.inclusive.values[root * this.#replicates.length + replicate]! += total;
    this.#sums.inclusive.samples[root]! += totalSamples;
    this.#kindValue[kindRow]! += total;
    return unowned;
  }

  /** Every child before its caller: touched nodes are walked backwards. Leaves the scratch columns empty. */
  #foldToCallers(touchedCount: number, replicate: number): void {
    const { parent, functionId, outermost } = this.#nodes;
    const { columnOf } = this.#columns;
    const { self, inclusive } = this.#sums;
    const { isTouched, value, samples, valueBelow, samplesBelow, touched } = this.#scratch;
    const width = this.#replicates.length;
    // Where most nodes are touched, passing by the others costs less than sorting.
    const isDense = touchedCount * 8 > parent.length;
    const order = touched.subarray(0, touchedCount);
    if (!isDense) order.sort();
    for (let at = (isDense ? parent.length : touchedCount) - 1; at >= 0; at -= 1) {
      const node = isDense ? at : order[at]!;
      if (isTouched[node] === 0) continue;
      const total = value[node]! + valueBelow[node]!;
      const totalSamples = samples[node]! + samplesBelow[node]!;
      const column = columnOf[functionId[node]!]!;
      if (column !== -1) {
        const cell = column * width + replicate;
        self.values[cell]! += value[node]!;
        self.samples[column]! += samples[node]!;
        if (outermost[node] === 1) {
          inclusive.values[cell]! += total;
          inclusive.samples[column]! += totalSamples;
        }
      }
      const caller = parent[node]!;
      if (caller !== NO_PARENT) {
        valueBelow[caller]! += total;
        samplesBelow[caller]! += totalSamples;
      }
      value[node] = samples[node] = valueBelow[node] = samplesBelow[node] = isTouched[node] = 0;
    }
  }

  samples(metric: FunctionMetric, column: number): number {
    return this.#sums[metric].samples[column]!;
  }

  rateOfKind(metric: FunctionMetric, column: number, work: WorkDone, expected: number): SideRate {
    const { values, samples } = this.#sums[metric];
    const { share, countingPerSample } = this.#kindShares;
    const first = column * share.length;
    const rate = sum(values.subarray(first, first + share.length)) / work.total;
    const deviation = new Float64Array(share.length);
    for (let replicate = 0; replicate < share.length; replicate += 1) {
      const expectedValue = rate * work.byReplicate[replicate]!;
      if (expectedValue > 0) deviation[replicate] = values[first + replicate]! / expectedValue - 1;
    }
    return { rate, samples: samples[column]!, expectedSamples: expected, share, deviation, countingPerSample };
  }

  /**
   * The whole is a sum of ratios, sum of w S / U. To first order each replicate adds w (S_p - c U_p) / U to it, and that
   * has from counting a variance of (w c)^2 share / expected samples.
   */
  addToWhole(metric: FunctionMetric, column: number, work: WorkDone, weight: number, expected: number): void {
    const sums = this.#sums[metric];
    const width = this.#replicates.length;
    const first = column * width;
    const rate = sum(sums.values.subarray(first, first + width)) / work.total;
    sums.wholeRate[column]! += weight * rate;
    sums.wholeSamples[column]! += sums.samples[column]!;
    sums.wholeExpected[column]! += expected;
    for (let replicate = 0; replicate < width; replicate += 1) {
      const share = work.byReplicate[replicate]! / work.total;
      sums.wholeShare[first + replicate]! += weight * rate * share;
      sums.wholeExcess[first + replicate]! += weight * (sums.values[first + replicate]! / work.total - rate * share);
      sums.wholeCounting[first + replicate]! += ((weight * rate) ** 2 * share) / expected;
    }
  }

  rateOfWhole(metric: FunctionMetric, column: number): SideRate {
    const sums = this.#sums[metric];
    const width = this.#replicates.length;
    const first = column * width;
    const rate = sums.wholeRate[column]!;
    // What costs nothing here has no shares of its own; those of everything tell which replicates could have run it.
    if (rate === 0 && column < this.#columns.length) {
      const { share } = this.rateOfWhole('inclusive', this.#columns.length);
      const expectedSamples = sums.wholeExpected[column]!;
      return {
        rate,
        samples: 0,
        expectedSamples,
        share,
        deviation: new Float64Array(width),
        countingPerSample: share.map((one) => 1 / one),
      };
    }
    const share = new Float64Array(width);
    const deviation = new Float64Array(width);
    const countingPerSample = new Float64Array(width).fill(Infinity);
    const expectedSamples = sums.wholeExpected[column]!;
    for (let replicate = 0; replicate < width; replicate += 1) {
      const part = sums.wholeShare[first + replicate]!;
      if (part === 0) continue;
      share[replicate] = part / rate;
      deviation[replicate] = sums.wholeExcess[first + replicate]! / part;
      countingPerSample[replicate] = (sums.wholeCounting[first + replicate]! / part ** 2) * expectedSamples;
    }
    return { rate, samples: sums.wholeSamples[column]!, expectedSamples, share, deviation, countingPerSample };
  }

  costs(): SideCosts {
    const functionSelf = new Float64Array(this.#nodes.functions.length);
    this.#nodeSelf.forEach((value, node) => (functionSelf[this.#nodes.functionId[node]!]! += value));
    return { nodeSelf: this.#nodeSelf, rootSelf: this.#rootSelf, functionSelf, idle: this.#idle, kindValue: this.#kindValue };
  }
}

/** Sample rows ordered by (kind of work, replicate). */
interface SampleGroups {
  rowsOf(kindRow: number, replicate: number): Uint32Array;
}

/** A counting sort: the rows are read once to be counted and once to be placed. */
function groupSamples({ samples }: CanonicalSide, plan: WorkPlan, replicates: Replicates): SampleGroups {
  const groupOfRow = new Int32Array(samples.stack.length);
  const starts = new Uint32Array(plan.kinds.length * replicates.length + 1);
  for (let at = 0; at < groupOfRow.length; at += 1) {
    const kind = kindOfTransaction(plan, samples.transaction[at]!);
    const group =
      kind === -1 ? -1 : kind * replicates.length + replicates.replicateOf(samples.process[at]!, samples.windowStartMs[at]!);
    groupOfRow[at] = group;
    if (group !== -1) starts[group + 1]! += 1;
  }
  for (let group = 1; group < starts.length; group += 1) starts[group]! += starts[group - 1]!;
  const next = starts.slice();
  const rows = new Uint32Array(starts[starts.length - 1]!);
  for (let at = 0; at < groupOfRow.length; at += 1) {
    const group = groupOfRow[at]!;
    if (group !== -1) rows[next[group]!++] = at;
  }
  return {
    rowsOf: (kindRow, replicate) => {
      const group = kindRow * replicates.length + replicate;
      return rows.subarray(starts[group], starts[group + 1]);
    },
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
