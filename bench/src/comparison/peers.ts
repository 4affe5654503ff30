import type { ComparisonInput, ComparisonSide } from '@hearth/profile-diff';

/** What other tools decide by, on the same samples: functions by name that they would tell of. */
export interface PeerAlarms {
  /** Cost per transaction changed by more than 5 %. */
  readonly threshold: ReadonlySet<string>;
  /** The share of all samples differs by a pooled two-proportion z-test, after Benjamini-Hochberg at .01. */
  readonly pooledZ: ReadonlySet<string>;
}

const THRESHOLD = 0.05;
const Z_LEVEL = 0.01;
/** Both leave out what is below 0.2 % of the samples, as the comparison does. */
const FLOOR_SHARE = 0.002;

export function peerAlarms(input: ComparisonInput): PeerAlarms {
  const before = samplesByFunction(input, input.baseline);
  const after = samplesByFunction(input, input.candidate);
  const totals = [sum(before), sum(after)] as const;
  const transactions = [sum(input.baseline.counts.count), sum(input.candidate.counts.count)] as const;
  const threshold = new Set<string>();
  const tests: { name: string; p: number }[] = [];
  before.forEach((count, row) => {
    const other = after[row]!;
    if ((count + other) / (totals[0] + totals[1]) < FLOOR_SHARE) return;
    const name = input.functions.name[row]!;
    if (Math.abs(other / transactions[1] / (count / transactions[0]) - 1) > THRESHOLD) threshold.add(name);
    const pooled = (count + other) / (totals[0] + totals[1]);
    const z = (other / totals[1] - count / totals[0]) / Math.sqrt(pooled * (1 - pooled) * (1 / totals[0] + 1 / totals[1]));
    tests.push({ name, p: 2 * upperTailOfNormal(Math.abs(z)) });
  });
  tests.sort((a, b) => a.p - b.p);
  const last = tests.findLastIndex(({ p }, rank) => p <= (Z_LEVEL * (rank + 1)) / tests.length);
  return { threshold, pooledZ: new Set(tests.slice(0, last + 1).map(({ name }) => name)) };
}

function samplesByFunction({ functions, stacks }: ComparisonInput, { samples }: ComparisonSide): Float64Array {
  const counts = new Float64Array(functions.length);
  samples.stack.forEach((stack, at) => (counts[stacks.functionRow[stack]!]! += samples.count[at]!));
  return counts;
}

function sum(values: Float64Array): number {
  return values.reduce((all, one) => all + one, 0);
}

/** Numerical Recipes' erfc, within 1.2e-7 relative: enough for a peer. */
function upperTailOfNormal(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
  ];
  return (t * Math.exp(-x * x + coefficients.reduceRight((poly, one) => one + t * poly, 0))) / 2;
}
