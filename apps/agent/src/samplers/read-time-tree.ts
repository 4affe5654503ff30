import { NO_PARENT, type StackIndex } from '@hearth/profile-model';
import type { TakeSample } from '../exemplars/exemplar-samples.js';
import type { HandlerRanges } from '../lost-context/handler-ranges.js';
import { StacksInHandlers, type WrittenIn } from '../lost-context/written-in.js';
import type { Scope } from '../transactions/transaction.js';
import { cpuShares } from './cpu-shares.js';
import type { RawProfile } from './native-profiler.js';
import type { ScopedSamples } from './scoped-samples.js';
import type { StackTables } from './stack-tables.js';
import { walkTree } from './walk-tree.js';

/** V8's own name of a thread that does nothing. */
export const IDLE = '(idle)';
const PROGRAM = '(program)';

/** One sample of the tree, before the samples are put in order. */
interface ReadSample {
  readonly row: ScopedSamples;
  readonly timestampMicros: number;
  readonly cpuNanos: number;
}

export interface ReadTimeTree {
  readonly rows: ScopedSamples[];
  /** CPU of the thread until the last sample, as its samples tell; of a period in which none was busy it is in no row. */
  readonly cpuNanos: number;
}

/**
 * One profile of the native sampler as rows of (stack, scope), its stacks added to `tables`. The sums over the rows are the profile's
 * duration and the CPU the thread used until its last sample.
 *
 * @param takeSample - Called with each sample in a scope, as it is counted.
 * @param handlers - To say of each row what of its stack is written in one of them.
 */
export function readTimeTree(
  raw: RawProfile,
  tables: StackTables,
  scopeOf: (context: object | undefined) => Scope | undefined,
  takeSample?: TakeSample,
  handlers?: HandlerRanges,
): ReadTimeTree {
  const rows: ScopedSamples[] = [];
  const samples: ReadSample[] = [];
  const rowsOfStack = new Map<StackIndex, ScopedSamples[]>();
  const inHandlers = handlers === undefined || handlers.isEmpty ? undefined : new StacksInHandlers(handlers);
  walkTree(raw.topDownRoot, tables, (node, stackRow, parentRow) => {
    const { name, contexts = [] } = node;
    const isIdle = name === IDLE;
    const isNobodys = isIdle || name === PROGRAM; // its context is only the last one that was set
    const writtenIn = isNobodys ? undefined : inHandlers?.of(node, stackRow, parentRow);
    for (const { context, timestamp, cpuTime } of contexts) {
      const scope = isNobodys ? undefined : scopeOf(context);
      samples.push({
        row: rowOf(rowsOfStack, rows, stackRow, scope, isIdle, writtenIn),
        timestampMicros: Number(timestamp),
        cpuNanos: cpuTime ?? Number.NaN,
      });
    }
  });
  return { rows, cpuNanos: shareTime(raw, samples, takeSample) };
}

/** Time and CPU that no sample ever saw: it is nobody's, but it was used. */
export function unseen(tables: StackTables, wallMicros: number, cpuMicros: number): ScopedSamples {
  return { stackRow: tables.stackRow(NO_PARENT, PROGRAM, '', 0), scope: undefined, count: 0, wallMicros, cpuMicros };
}

/** Gives every sample its part of the profile's time and CPU. @returns The CPU that they tell. */
function shareTime(raw: RawProfile, samples: ReadSample[], takeSample: TakeSample | undefined): number {
  if (samples.length === 0) return 0;
  const intervalMicros = (raw.endTime - raw.startTime) / samples.length;
  samples.sort((a, b) => a.timestampMicros - b.timestampMicros);
  const cpuNanos = Float64Array.from(samples, (sample) => sample.cpuNanos);
  const isIdle = Uint8Array.from(samples, ({ row }) => (row.cpuMicros === undefined ? 1 : 0));
  const available = cpuNanos.reduce((sum, nanos) => (Number.isNaN(nanos) ? sum : sum + nanos), 0);
  const shares = cpuShares({ length: samples.length, cpuNanos, isIdle }, available);
  samples.forEach(({ row, timestampMicros }, at) => {
    row.count += 1;
    row.wallMicros += intervalMicros;
    if (row.cpuMicros === undefined) return;
    row.cpuMicros += shares[at]! / 1000;
    if (row.scope !== undefined) takeSample?.(row.scope, row.stackRow, timestampMicros, intervalMicros, shares[at]! / 1000);
  });
  return available;
}

function rowOf(
  rowsOfStack: Map<StackIndex, ScopedSamples[]>,
  rows: ScopedSamples[],
  stackRow: StackIndex,
  scope: Scope | undefined,
  isIdle: boolean,
  writtenIn: WrittenIn | undefined,
): ScopedSamples {
  let ofStack = rowsOfStack.get(stackRow);
  if (ofStack === undefined) rowsOfStack.set(stackRow, (ofStack = []));
  let row = ofStack.find((one) => one.scope === scope); // few scopes meet in one stack
  if (row === undefined) {
    row = { stackRow, scope, writtenIn, count: 0, wallMicros: 0, cpuMicros: isIdle ? undefined : 0 };
    ofStack.push(row);
    rows.push(row);
  }
  return row;
}
