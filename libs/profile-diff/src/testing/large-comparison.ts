import type { ComparisonInput, ComparisonSide } from '../comparison-input.js';
import { seededRandom } from './random.js';
import type { Random } from './random.js';

export interface LargeComparisonSpec {
  readonly seed: number;
  readonly functions: number;
  readonly stacks: number;
  readonly transactions: number;
  /** A side; its process-windows are `processes` x `windowsPerProcess`. */
  readonly processes: number;
  readonly windowsPerProcess: number;
  /** Distinct (transaction, stack) of one process-window. */
  readonly samplesPerWindow: number;
}

/** Two sides of a large service with nothing changed: to see how long a comparison takes, not what it finds. */
export function largeComparison(spec: LargeComparisonSpec): ComparisonInput {
  const random = seededRandom(spec.seed);
  const names = Array.from({ length: spec.functions }, (_, row) => `f${row}`);
  const parent = new Int32Array(spec.stacks);
  const functionRow = new Uint32Array(spec.stacks);
  for (let stack = 0; stack < spec.stacks; stack += 1) {
    // A caller among the stacks just before makes paths of a few dozen frames, as frameworks do.
    parent[stack] = stack < 8 ? -1 : stack - 1 - Math.floor(random.uniform() * Math.min(stack, spec.stacks / 12));
    functionRow[stack] = stack < spec.functions ? stack : Math.floor(random.uniform() * spec.functions);
  }
  return {
    unit: 'microseconds',
    kind: 'flow',
    functions: { length: names.length, name: names, package: names.map(() => ''), file: names.map((name) => `src/${name}.ts`) },
    stacks: { length: spec.stacks, parent, functionRow },
    transactions: Array.from({ length: spec.transactions }, (_, row) => `GET /route${row}`),
    baseline: largeSide(spec, random, 'baseline'),
    candidate: largeSide(spec, random, 'candidate'),
  };
}

function largeSide(spec: LargeComparisonSpec, random: Random, name: string): ComparisonSide {
  const windows = spec.processes * spec.windowsPerProcess;
  const rows = windows * spec.samplesPerWindow;
  const samples = {
    process: new Uint32Array(rows),
    windowStartMs: new Float64Array(rows),
    transaction: new Int32Array(rows),
    stack: new Int32Array(rows),
    value: new Float64Array(rows),
    count: new Float64Array(rows),
  };
  const countRows = windows * spec.transactions;
  const counts = {
    process: new Uint32Array(countRows),
    windowStartMs: new Float64Array(countRows),
    transaction: new Uint32Array(countRows),
    count: new Float64Array(countRows),
    errors: new Float64Array(countRows),
    durationSumMicros: new Float64Array(countRows),
  };
  for (let window = 0; window < windows; window += 1) {
    const process = window % spec.processes;
    const startMs = Math.floor(window / spec.processes) * 60_000;
    for (let at = window * spec.samplesPerWindow; at < (window + 1) * spec.samplesPerWindow; at += 1) {
      samples.process[at] = process;
      samples.windowStartMs[at] = startMs;
      samples.transaction[at] = Math.floor(random.uniform() * (spec.transactions + 1)) - 1;
      samples.stack[at] = Math.floor(random.uniform() ** 2 * spec.stacks);
      samples.count[at] = 1 + Math.floor(random.uniform() * 3);
      samples.value[at] = samples.count[at]! * 10_000;
    }
    for (let transaction = 0; transaction < spec.transactions; transaction += 1) {
      const at = window * spec.transactions + transaction;
      counts.process[at] = process;
      counts.windowStartMs[at] = startMs;
      counts.transaction[at] = transaction;
      counts.count[at] = 200 + Math.floor(random.uniform() * 20);
      counts.durationSumMicros[at] = counts.count[at]! * 15_000;
    }
  }
  return {
    fromMs: 0,
    untilMs: spec.windowsPerProcess * 60_000,
    processes: Array.from({ length: spec.processes }, (_, row) => ({
      id: `${name}-${row}`,
      startedAtMs: 0,
      seconds: spec.windowsPerProcess * 60,
      nodeVersion: 'v20.20.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      droppedBatches: 0,
    })),
    samples,
    counts,
  };
}
