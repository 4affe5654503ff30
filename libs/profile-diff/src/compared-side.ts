import type { ComparedProcess, ComparisonSide, SideCounts, SideSamples } from './comparison-input.js';

/** Row in `CanonicalSide.processes`. */
export type ProcessIndex = number;

/**
 * One side with its processes sorted by id, and values rounded to a grid on which every sum is exact. Both make the
 * answer independent of the order in which processes and samples arrive, to the last bit.
 */
export interface CanonicalSide {
  readonly processes: readonly ComparedProcess[];
  readonly samples: SideSamples;
  readonly counts: SideCounts;
}

export function canonicalSide(side: ComparisonSide): CanonicalSide {
  const order = side.processes.map((_, row) => row).sort((a, b) => compareProcesses(side.processes[a]!, side.processes[b]!));
  const rankOfRow = new Uint32Array(order.length);
  order.forEach((row, rank) => (rankOfRow[row] = rank));
  return {
    processes: order.map((row) => side.processes[row]!),
    samples: {
      ...side.samples,
      process: side.samples.process.map((row) => rankOfRow[row]!),
      value: onExactGrid(side.samples.value),
      count: onExactGrid(side.samples.count),
    },
    counts: { ...side.counts, process: side.counts.process.map((row) => rankOfRow[row]!) },
  };
}

function compareProcesses(a: ComparedProcess, b: ComparedProcess): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : a.startedAtMs - b.startedAtMs;
}

/**
 * Multiples of a power of two so large that 2^53 of them hold the sum: no partial sum is rounded, in whatever order. Whole
 * numbers with a sum below 2^53 stay as they are; averages (levels) lose at most one part in 2^52 of the total.
 */
function onExactGrid(values: Float64Array): Float64Array {
  let bound = 1;
  let whole = true;
  for (const value of values) {
    bound += Math.ceil(Math.abs(value)); // whole, so this sum has one value in every order
    if (whole && !Number.isInteger(value)) whole = false;
  }
  if (whole && bound < 2 ** 53) return values;
  const step = 2 ** (Math.ceil(Math.log2(bound)) - 52);
  return values.map((value) => Math.round(value / step) * step);
}
