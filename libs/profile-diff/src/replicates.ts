import { NO_PARENT } from '@hearth/profile-model';
import type { EpochMs } from '@hearth/profile-model';
import type { CallNodes } from './call-nodes.js';
import type { CanonicalSide, ProcessIndex } from './compared-side.js';
import { median } from './distributions.js';

/** Row among the replicates of one side. */
export type ReplicateIndex = number;

/** What is taken as one independent observation of a side: a process, or a run of windows of one process. */
export interface Replicates {
  readonly length: number;
  /** Profiled process-seconds of each. */
  readonly seconds: Float64Array;
  replicateOf(process: ProcessIndex, windowStartMs: EpochMs): ReplicateIndex;
}

export interface ReplicatePlan {
  readonly kind: 'processes' | 'windows';
  readonly baseline: Replicates;
  readonly candidate: Replicates;
}

/** Fewer processes than this on a side cannot show how processes differ. */
const MIN_PROCESSES = 3;
/** More replicates than this add nothing to a verdict and cost memory: neighbours are taken together. */
const MAX_REPLICATES = 64;
/** An autocorrelation above this would merge a range into less than a handful of observations. */
const MAX_AUTOCORRELATION = 0.9;
/** Autocorrelation is taken from this many functions with most samples; the rest are mostly counting noise. */
const AUTOCORRELATED_FUNCTIONS = 16;
/** A function whose windows differ by hardly more than counting makes them does not drift. */
const LEAST_DRIFT = 0.25;

/** Processes where both sides have three of them; otherwise windows, merged until neighbours are about independent. */
export function planReplicates(
  baseline: CanonicalSide,
  candidate: CanonicalSide,
  nodes: CallNodes,
  kind: 'flow' | 'level',
): ReplicatePlan {
  if (kind === 'level' || Math.min(baseline.processes.length, candidate.processes.length) >= MIN_PROCESSES) {
    return { kind: 'processes', baseline: processReplicates(baseline), candidate: processReplicates(candidate) };
  }
  const windows = { baseline: windowsByProcess(baseline), candidate: windowsByProcess(candidate) };
  const correlation = lagOneAutocorrelation(
    [
      { side: baseline, windows: windows.baseline },
      { side: candidate, windows: windows.candidate },
    ],
    nodes,
  );
  // Of n windows with this autocorrelation, n (1 - r) / (1 + r) are worth as much as independent ones.
  const windowsPerReplicate = Math.ceil((1 + correlation) / (1 - correlation));
  return {
    kind: 'windows',
    baseline: windowReplicates(baseline, windows.baseline, windowsPerReplicate),
    candidate: windowReplicates(candidate, windows.candidate, windowsPerReplicate),
  };
}

function processReplicates({ processes }: CanonicalSide): Replicates {
  const length = Math.min(processes.length, MAX_REPLICATES);
  const replicateOf = (process: ProcessIndex): ReplicateIndex =>
    processes.length <= MAX_REPLICATES ? process : Math.floor((process * MAX_REPLICATES) / processes.length);
  const seconds = new Float64Array(length);
  processes.forEach((process, row) => (seconds[replicateOf(row)]! += process.seconds));
  return { length, seconds, replicateOf };
}

/** Starts of the windows in which each process has samples or counts, in order of time. */
function windowsByProcess({ processes, samples, counts }: CanonicalSide): EpochMs[][] {
  const starts = processes.map(() => new Set<EpochMs>());
  for (const { process, windowStartMs } of [samples, counts]) {
    process.forEach((row, at) => starts[row]!.add(windowStartMs[at]!));
  }
  return starts.map((ofProcess) => [...ofProcess].sort((a, b) => a - b));
}

function windowReplicates({ processes }: CanonicalSide, windows: readonly EpochMs[][], windowsPerReplicate: number): Replicates {
  const total = windows.reduce((sum, ofProcess) => sum + ofProcess.length, 0);
  const perReplicate = Math.max(windowsPerReplicate, Math.ceil(total / MAX_REPLICATES));
  const replicateOfWindow = windows.map(() => new Map<EpochMs, ReplicateIndex>());
  const seconds: number[] = [];
  windows.forEach((starts, process) => {
    // A rest shorter than half a replicate joins the one before it: a short one would be all noise.
    const ofProcess = Math.max(1, Math.round(starts.length / perReplicate));
    const first = seconds.length;
    starts.forEach((startMs, at) => {
      const replicate = first + Math.min(ofProcess - 1, Math.floor(at / perReplicate));
      replicateOfWindow[process]!.set(startMs, replicate);
      seconds[replicate] = (seconds[replicate] ?? 0) + processes[process]!.seconds / starts.length;
    });
  });
  return {
    length: seconds.length,
    seconds: Float64Array.from(seconds),
    replicateOf: (process, windowStartMs) => replicateOfWindow[process]!.get(windowStartMs)!,
  };
}

interface WindowedSide {
  readonly side: CanonicalSide;
  readonly windows: readonly EpochMs[][];
}

/** Sums over the windows of a function's deviations from what the window's work makes expect. */
interface DriftSums {
  /** Of one deviation times the next, and of squares. */
  products: number;
  squares: number;
  /** What counting alone adds to `squares`. */
  counting: number;
  processes: number;
  windows: number;
}

/**
 * How much one window tells of the next, 0 to `MAX_AUTOCORRELATION`: the median over the functions with most samples. It is the
 * correlation of what drifts beneath the counts; that of the counts themselves is smaller, but does not fade faster.
 */
function lagOneAutocorrelation(sides: readonly WindowedSide[], nodes: CallNodes): number {
  const chosen = mostSampledFunctions(sides, nodes);
  const column = new Int32Array(nodes.functions.length).fill(-1);
  chosen.forEach((id, at) => (column[id] = at));
  const drifts: DriftSums[] = chosen.map(() => ({ products: 0, squares: 0, counting: 0, processes: 0, windows: 0 }));
  for (const { side, windows } of sides) {
    const indexOfWindow = windows.map((starts) => new Map(starts.map((startMs, at) => [startMs, at])));
    const perWindow = () => windows.map((starts) => new Float64Array(starts.length));
    const work = perWindow();
    side.counts.process.forEach((process, at) => {
      work[process]![indexOfWindow[process]!.get(side.counts.windowStartMs[at]!)!]! += side.counts.count[at]!;
    });
    const values = chosen.map(perWindow);
    const samples = chosen.map(() => new Float64Array(windows.length));
    side.samples.process.forEach((process, at) => {
      const node = nodeOfSample(side, nodes, at);
      const of = node === NO_PARENT ? -1 : column[nodes.functionId[node]!]!;
      if (of < 0) return;
      values[of]![process]![indexOfWindow[process]!.get(side.samples.windowStartMs[at]!)!]! += side.samples.value[at]!;
      samples[of]![process]! += side.samples.count[at]!;
    });
    values.forEach((byProcess, of) => {
      byProcess.forEach((series, process) => addDrift(drifts[of]!, series, work[process]!, samples[of]![process]!));
    });
  }
  const correlations = drifts.filter(({ squares, windows }) => squares > 0 && windows > 3).map(driftCorrelation);
  return correlations.length === 0 ? 0 : Math.min(Math.max(median(correlations), 0), MAX_AUTOCORRELATION);
}

function addDrift(sums: DriftSums, series: Float64Array, work: Float64Array, samples: number): void {
  const value = series.reduce((sum, one) => sum + one, 0);
  const units = work.reduce((sum, one) => sum + one, 0);
  if (value === 0 || samples === 0 || series.length < 2) return;
  let before = 0;
  series.forEach((one, at) => {
    const deviation = one / value - (units > 0 ? work[at]! / units : 1 / series.length);
    sums.products += before * deviation;
    sums.squares += deviation * deviation;
    before = deviation;
  });
  sums.counting += 1 / samples; // n samples over all windows: the variances of their shares sum to 1/n
  sums.processes += 1;
  sums.windows += series.length;
}

function driftCorrelation({ products, squares, counting, processes, windows }: DriftSums): number {
  const drift = squares - counting;
  if (drift < LEAST_DRIFT * squares) return 0; // what is left of counting noise has a correlation of anything
  // Deviations from a mean of n windows show a correlation r as about r - (1 + 3 r) / n (Kendall 1954).
  const perWindow = processes / windows;
  return (products / drift + perWindow) / Math.max(1 - 3 * perWindow, perWindow);
}

function mostSampledFunctions(sides: readonly WindowedSide[], nodes: CallNodes): number[] {
  const samples = new Float64Array(nodes.functions.length);
  for (const { side } of sides) {
    side.samples.count.forEach((count, at) => {
      const node = nodeOfSample(side, nodes, at);
      if (node !== NO_PARENT) samples[nodes.functionId[node]!]! += count;
    });
  }
  return [...samples.keys()]
    .filter((id) => samples[id]! > 0 && nodes.roles[id] === 'code')
    .sort((a, b) => samples[b]! - samples[a]! || a - b)
    .slice(0, AUTOCORRELATED_FUNCTIONS);
}

function nodeOfSample(side: CanonicalSide, nodes: CallNodes, at: number): number {
  const stack = side.samples.stack[at]!;
  return stack === NO_PARENT ? NO_PARENT : nodes.nodeOfStack[stack]!;
}
