import type { FunctionTable, StackTable } from '@hearth/profile-model';
import type { ComparisonInput, ComparisonSide } from '../comparison-input.js';
import { seededRandom } from './random.js';
import type { Random } from './random.js';
import { SideColumns } from './side-columns.js';

/**
 * How processes of one release differ although nothing changed.
 *
 * - `even`: every function by the same cv, independently of the others.
 * - `uneven`: by cvs from a quarter to twice that, another for every function.
 * - `heavy tails`: t with five degrees of freedom.
 * - `hot process`: one process of the candidate costs 30 % more in everything.
 * - `common`: a process is slower or faster as a whole, by that cv, and its functions by half of it on top.
 * - `autocorrelated`: as `even`, and windows of a process drift.
 * - `regular`: four functions of five run for many samples at a time, so that their counts vary half as much as chance would have it.
 */
export type FleetVariation = 'even' | 'uneven' | 'heavy tails' | 'hot process' | 'common' | 'autocorrelated' | 'regular';

export interface FleetSpec {
  readonly seed: number;
  /** A side; both alike unless `candidateProcesses` is given. */
  readonly processes: number;
  readonly candidateProcesses?: number;
  readonly functions: number;
  readonly windows: number;
  readonly cv: number;
  readonly variation: FleetVariation;
  /** Samples of the planted functions in each process. */
  readonly plantedSamples: number;
  /** Of all samples of a process; the rest is spread over the other functions as 1/rank. */
  readonly plantedShare: number;
  /** Candidate cost of function 0, 1, ... as a multiple of the baseline's. */
  readonly planted: readonly number[];
  /** Share of the traffic that is the first transaction, on both sides. Default .7 and .7. */
  readonly traffic?: readonly [baseline: number, candidate: number];
}

const TRANSACTIONS = ['GET /cart', 'POST /order'] as const;
const MODULES = 12;
const SAMPLE_MICROS = 10_000;
const WINDOW_MS = 60_000;
const TRANSACTIONS_PER_WINDOW = 1000;

/** A fleet of two releases whose true change is known. Functions are `f0`, `f1`, ...; `f0`.. are the planted ones. */
export function simulateFleet(spec: FleetSpec): ComparisonInput {
  const random = seededRandom(spec.seed);
  const program = programOf(spec);
  const unevenness = program.costs.map(() => (spec.variation === 'uneven' ? 2 ** (3 * random.uniform() - 2) : 1));
  const [before, after] = spec.traffic ?? [0.7, 0.7];
  const side = (name: string, processes: number, traffic: number, factorOf: (row: number) => number): ComparisonSide =>
    simulateSide({ spec, random, program, unevenness, name, processes, traffic, factorOf });
  return {
    unit: 'microseconds',
    kind: 'flow',
    functions: program.functions,
    stacks: program.stacks,
    transactions: TRANSACTIONS,
    baseline: side('baseline', spec.processes, before, () => 1),
    candidate: side('candidate', spec.candidateProcesses ?? spec.processes, after, (row) => spec.planted[row] ?? 1),
  };
}

interface Program {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  /** Samples per transaction of its kind, for each function; the transaction it runs in, and its stack. */
  readonly costs: readonly number[];
  readonly transactionOf: readonly number[];
  readonly stackOf: readonly number[];
}

/** handler of a transaction → module → function: each function in one place, callers shared. */
function programOf(spec: FleetSpec): Program {
  const names = [...TRANSACTIONS.map((name) => `handle ${name}`), ...Array.from({ length: MODULES }, (_, row) => `module${row}`)];
  const parent: number[] = TRANSACTIONS.map(() => -1);
  const functionRow: number[] = TRANSACTIONS.map((_, row) => row);
  for (let row = 0; row < MODULES; row += 1) {
    parent.push(row % TRANSACTIONS.length);
    functionRow.push(TRANSACTIONS.length + row);
  }
  const stackOf: number[] = [];
  const transactionOf: number[] = [];
  for (let row = 0; row < spec.functions; row += 1) {
    names.push(`f${row}`);
    stackOf.push(parent.push(TRANSACTIONS.length + (row % MODULES)) - 1);
    functionRow.push(names.length - 1);
    transactionOf.push((row % MODULES) % TRANSACTIONS.length);
  }
  const planted = Math.max(1, spec.planted.length);
  const others = Array.from({ length: spec.functions - planted }, (_, rank) => 1 / (rank + 10));
  const otherSamples = spec.plantedSamples / spec.plantedShare - planted * spec.plantedSamples;
  const weight = others.reduce((sum, one) => sum + one, 0);
  const samples = [
    ...Array.from({ length: planted }, () => spec.plantedSamples),
    ...others.map((one) => (otherSamples * one) / weight),
  ];
  const traffic = spec.traffic?.[0] ?? 0.7;
  const transactions = [traffic, 1 - traffic].map((share) => share * TRANSACTIONS_PER_WINDOW * spec.windows);
  return {
    functions: { length: names.length, name: names, package: names.map(() => ''), file: names.map((name) => `src/${name}.ts`) },
    stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    costs: samples.map((count, row) => count / transactions[transactionOf[row]!]!),
    transactionOf,
    stackOf,
  };
}

interface SideSpec {
  readonly spec: FleetSpec;
  readonly random: Random;
  readonly program: Program;
  readonly unevenness: readonly number[];
  readonly name: string;
  readonly processes: number;
  readonly traffic: number;
  readonly factorOf: (functionRow: number) => number;
}

function simulateSide(side: SideSpec): ComparisonSide {
  const { spec, random, program } = side;
  const columns = new SideColumns();
  for (let process = 0; process < side.processes; process += 1) {
    const load = 0.8 + 0.4 * random.uniform();
    const speed = processSpeed(side, process);
    const effects = program.costs.map((_, row) => speed * functionEffect(side, row) * side.factorOf(row));
    const drift = program.costs.map(() => random.normal());
    for (let window = 0; window < spec.windows; window += 1) {
      const windowStartMs = window * WINDOW_MS;
      const transactions = [side.traffic, 1 - side.traffic].map((share) =>
        random.poisson(load * share * TRANSACTIONS_PER_WINDOW),
      );
      transactions.forEach((count, transaction) => {
        columns.addCount({
          process,
          windowStartMs,
          transaction,
          count,
          errors: 0,
          durationSumMicros: Math.round(count * 20_000 * speed * (1 + 0.02 * random.normal())),
        });
      });
      program.costs.forEach((cost, row) => {
        const transaction = program.transactionOf[row]!;
        if (spec.variation === 'autocorrelated') drift[row] = 0.7 * drift[row]! + Math.sqrt(1 - 0.7 ** 2) * random.normal();
        const drifted = spec.variation === 'autocorrelated' ? Math.exp(3 * spec.cv * drift[row]!) : 1;
        const mean = transactions[transaction]! * cost * effects[row]! * drifted;
        const regular = spec.variation === 'regular' && row % 5 !== 0 ? mean / 2 : 0;
        const count = Math.floor(regular + random.uniform()) + random.poisson(mean - regular);
        if (count === 0) return;
        columns.addSample({
          process,
          windowStartMs,
          transaction,
          stack: program.stackOf[row]!,
          value: count * SAMPLE_MICROS,
          count,
        });
      });
    }
  }
  return {
    fromMs: 0,
    untilMs: spec.windows * WINDOW_MS,
    processes: Array.from({ length: side.processes }, (_, row) => ({
      id: `${side.name}-${row}`,
      startedAtMs: 0,
      seconds: (spec.windows * WINDOW_MS) / 1000,
      nodeVersion: 'v20.20.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      droppedBatches: 0,
    })),
    ...columns.columns(),
  };
}

function processSpeed({ spec, random, name }: SideSpec, process: number): number {
  if (spec.variation === 'hot process') return name === 'candidate' && process === 0 ? 1.3 : 1;
  return spec.variation === 'common' ? Math.exp(spec.cv * random.normal()) : 1;
}

function functionEffect({ spec, random, unevenness }: SideSpec, row: number): number {
  const draw = spec.variation === 'heavy tails' ? random.heavyTailed() : random.normal();
  const cv = spec.variation === 'common' ? spec.cv / 2 : spec.cv * unevenness[row]!;
  return Math.exp(cv * draw);
}

/** Names of the functions above `f<row>`: they change with it. */
export function callersOfFunction(row: number): string[] {
  const moduleRow = row % MODULES;
  return [`module${moduleRow}`, `handle ${TRANSACTIONS[moduleRow % TRANSACTIONS.length]}`];
}
