/**
 * What it costs to load a stack dictionary that nobody has in memory: time, CPU, how long the event loop is held, memory. Pages of 200
 * stacks, as batches bring them, and full ones.
 */
import { performance } from 'node:perf_hooks';
import type { FunctionTable, StackTable } from '@hearth/profile-model';
import { epochOf, StackDictionaries, StackRepository } from '../../apps/server/dist/features/stacks/index.js';
import { connectDataSource, runMigrations } from '../../apps/server/dist/platform/database/index.js';
import { MIGRATIONS } from '../../apps/server/dist/migrations/index.js';
import { startBenchPostgres } from './store/bench-postgres.js';

type EpochKey = Parameters<StackDictionaries['intern']>[0];

const EPOCH = epochOf(Date.UTC(2025, 10, 1));
const STACKS_OF_A_PAGE = 200;
const STACKS_PER_FUNCTION = 12;

interface MadeStacks {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
}

const postgres = await startBenchPostgres();
const url = await postgres.createDatabase('stacks');
await runMigrations(url, MIGRATIONS);
const dataSource = await connectDataSource({ url });
const newOwner = () => new StackDictionaries(new StackRepository(dataSource));
try {
  // What is measured is reading; thousands of pages have to be written first.
  await dataSource.query('ALTER SYSTEM SET synchronous_commit = off');
  await dataSource.query('SELECT pg_reload_conf()');
  const figures: Record<string, number> = {};
  let serviceId = 100;
  for (const [name, count] of [
    ['200k', 200_000],
    ['1m', 1_000_000],
  ] as const) {
    for (const pages of ['small', 'full'] as const) {
      const key = { serviceId: (serviceId += 1), epoch: EPOCH };
      await write(key, madeStacks(count), pages === 'small' ? STACKS_OF_A_PAGE : count);
      for (const [figure, value] of Object.entries(await coldLoad(key))) figures[`${name}_${pages}_${figure}`] = value;
    }
  }
  if (!process.argv.includes('--json')) console.table(figures);
  console.log(JSON.stringify(figures));
} finally {
  await dataSource.destroy();
  await postgres.stop();
}

/** In calls that bring `atOnce` new stacks each. */
async function write(key: EpochKey, { functions, stacks }: MadeStacks, atOnce: number): Promise<void> {
  const owner = newOwner();
  for (let length = atOnce; length <= stacks.length; length += atOnce) {
    const from = length - atOnce;
    // Only what is new and its callers, as an agent would send it.
    const rows = new Map<number, number>();
    const rowOf = (stack: number): number => {
      const known = rows.get(stack);
      if (stack < 0 || known !== undefined) return known ?? stack;
      const parent = rowOf(stacks.parent[stack]!);
      rows.set(stack, parents.push(parent) - 1);
      functionRows.push(stacks.functionRow[stack]!);
      return parents.length - 1;
    };
    const parents: number[] = [];
    const functionRows: number[] = [];
    for (let stack = from; stack < length; stack += 1) rowOf(stack);
    await owner.intern(key, functions, {
      length: parents.length,
      parent: Int32Array.from(parents),
      functionRow: Uint32Array.from(functionRows),
    });
  }
}

async function coldLoad(key: EpochKey): Promise<Record<'load_ms' | 'load_cpu_ms' | 'longest_hold_cpu_ms' | 'mib', number>> {
  const owner = newOwner();
  const [start, cpuBefore] = [performance.now(), cpuMs()];
  await owner.snapshot(key);
  const [loadMs, cpu] = [performance.now() - start, cpuMs() - cpuBefore];
  const longestHoldMs = await longestHold(() => newOwner().snapshot(key));
  return {
    load_ms: Math.round(loadMs),
    load_cpu_ms: Math.round(cpu),
    longest_hold_cpu_ms: Math.round(longestHoldMs),
    mib: Math.round(owner.bytes / 2 ** 20),
  };
}

/** CPU time between two turns of the event loop at most: what others wait for, whatever else the machine does. */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, isOver] = [0, cpuMs(), false];
  const turn = () => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return longest;
}

/** Of the whole process: threads that collect garbage are counted too. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A tree like those of programs: mostly deep, new stacks near the ones before. */
function madeStacks(length: number): MadeStacks {
  const random = randomNumbers(1);
  const functionCount = Math.ceil(length / STACKS_PER_FUNCTION);
  const parent = new Int32Array(length);
  const functionRow = new Uint32Array(length);
  const known = new Set<string>();
  for (let row = 0, depth = 0; row < length;) {
    const from = depth === 0 ? -1 : row - 1 - Math.floor(random() * Math.min(row, 8));
    // Functions appear as the code is met, and are called again.
    const function_ = Math.floor(random() ** 2 * Math.min(functionCount, 20 + row / STACKS_PER_FUNCTION));
    depth = (depth + 1) % 40;
    if (known.has(`${from} ${function_}`)) continue;
    known.add(`${from} ${function_}`);
    parent[row] = from;
    functionRow[row] = function_;
    row += 1;
  }
  const rows = Array.from({ length: functionCount }, (_, row) => row);
  return {
    functions: {
      length: functionCount,
      name: rows.map((row) => `handle${row}Request`),
      package: rows.map((row) => (row % 3 === 0 ? '' : `package-${row % 200}`)),
      file: rows.map((row) => `src/features/area-${row % 50}/module-${row % 1000}.ts`),
    },
    stacks: { length, parent, functionRow },
  };
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
