import { readFileSync } from 'node:fs';
import { readProfiles } from '@hearth/profile-formats';
import {
  NO_PARENT,
  PROFILE_TYPE_IDS,
  labelSet,
  parseProfileTypeId,
  type FunctionTable,
  type LabelSet,
  type Profile,
  type StackTable,
} from '@hearth/profile-model';

const RECORDED = new URL('../../../libs/profile-formats/fixtures/cpuprofile/tsc.cpuprofile', import.meta.url);

/** Samples in one flush: 10 s at 99 Hz of a process that is a fifth busy. */
const SAMPLES_PER_FLUSH = 190;
const INTERVAL_MICROS = 10_101;
export const FLUSH_MS = 10_000;
/** Label sets of the benchmarks: eight transactions, and samples in none. */
export const LABEL_SETS: readonly LabelSet[] = [
  labelSet({}),
  ...['GET /', 'GET /users/:id', 'POST /orders', 'GET /orders/:id', 'GET /search', 'PUT /cart', 'job reindex', 'job mail'].map(
    (transaction) => labelSet({ transaction }),
  ),
];

/** What one process did in one flush, in tables of its own as an agent sends them. */
export interface Flush {
  readonly process: number;
  readonly startMs: number;
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  /** Columns of one length: row in `stacks`, row in `LABEL_SETS`, microseconds, raw samples. */
  readonly sampleStack: Int32Array;
  readonly sampleLabelSet: Uint32Array;
  readonly sampleValue: Float64Array;
  readonly sampleCount: Float64Array;
}

export interface FlushPlan {
  readonly processes: number;
  readonly flushesPerProcess: number;
  readonly startMs: number;
  readonly seed: number;
}

/** Flushes made by drawing samples from a profile that was recorded from the TypeScript compiler, in order of time. */
export function* resampledFlushes({ processes, flushesPerProcess, startMs, seed }: FlushPlan): Generator<Flush> {
  const recorded = readProfiles(readFileSync(RECORDED)).profiles[0]!;
  const random = randomNumbers(seed);
  const cumulative = cumulativeValues(recorded);
  for (let flush = 0; flush < flushesPerProcess; flush += 1) {
    for (let process = 0; process < processes; process += 1) {
      yield oneFlush(recorded, cumulative, random, process, startMs + flush * FLUSH_MS + ((process * 37) % FLUSH_MS));
    }
  }
}

function oneFlush(recorded: Profile, cumulative: Float64Array, random: () => number, process: number, startMs: number): Flush {
  const rows = new Map<string, { stack: number; labelSet: number; value: number; count: number }>();
  for (let sample = 0; sample < SAMPLES_PER_FLUSH; sample += 1) {
    const stack = recorded.sampleStack[rowAt(cumulative, random() * cumulative.at(-1)!)]!;
    // Most of the time belongs to a few transactions.
    const labelSetRow = Math.floor(random() ** 2 * LABEL_SETS.length);
    const key = `${stack}.${labelSetRow}`;
    const row = rows.get(key) ?? { stack, labelSet: labelSetRow, value: 0, count: 0 };
    row.value += INTERVAL_MICROS + Math.round((random() - 0.5) * 400);
    row.count += 1;
    rows.set(key, row);
  }
  const local = localTables(recorded);
  const samples = [...rows.values()];
  const sampleStack = Int32Array.from(samples, (row) => local.stackRow(row.stack));
  return {
    process,
    startMs,
    ...local.tables(),
    sampleStack,
    sampleLabelSet: Uint32Array.from(samples, (row) => row.labelSet),
    sampleValue: Float64Array.from(samples, (row) => row.value),
    sampleCount: Float64Array.from(samples, (row) => row.count),
  };
}

/** Only the stacks and functions that were drawn. */
function localTables({ stacks, functions }: Profile) {
  const rowOfStack = new Map<number, number>([[NO_PARENT, NO_PARENT]]);
  const rowOfFunction = new Map<number, number>();
  const [parent, functionRow] = [[] as number[], [] as number[]];
  const stackRow = (row: number): number => {
    const known = rowOfStack.get(row);
    if (known !== undefined) return known;
    const parentRow = stackRow(stacks.parent[row]!);
    const functionOf = stacks.functionRow[row]!;
    if (!rowOfFunction.has(functionOf)) rowOfFunction.set(functionOf, rowOfFunction.size);
    functionRow.push(rowOfFunction.get(functionOf)!);
    const local = parent.push(parentRow) - 1;
    rowOfStack.set(row, local);
    return local;
  };
  const tables = () => {
    const used = [...rowOfFunction.keys()];
    return {
      functions: {
        length: used.length,
        name: used.map((row) => functions.name[row]!),
        package: used.map((row) => functions.package[row]!),
        file: used.map((row) => functions.file[row]!),
      },
      stacks: { length: parent.length, parent: Int32Array.from(parent), functionRow: Uint32Array.from(functionRow) },
    };
  };
  return { stackRow, tables };
}

/** The flush as a profile, for the peers. */
export function flushToProfile({
  startMs,
  functions,
  stacks,
  sampleStack,
  sampleLabelSet,
  sampleValue,
  sampleCount,
}: Flush): Profile {
  return {
    type: parseProfileTypeId(PROFILE_TYPE_IDS.cpu),
    startMs,
    durationMs: FLUSH_MS,
    functions,
    stacks,
    labelSets: LABEL_SETS,
    sampleStack,
    sampleLabelSet,
    sampleValue,
    sampleCount,
  };
}

export function samplesOf({ sampleCount }: Flush): number {
  return sampleCount.reduce((sum, count) => sum + count, 0);
}

function cumulativeValues({ sampleValue }: Profile): Float64Array {
  let sum = 0;
  return sampleValue.map((value) => (sum += value));
}

function rowAt(cumulative: Float64Array, value: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Seeded numbers in [0, 1) (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
