import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { BatchProfile } from '@hearth/wire-format';
import type { LostContext } from '../lost-context/lost-context.js';
import type { WrittenIn } from '../lost-context/written-in.js';
import type { MemoryRow, MemorySampler } from '../samplers/memory-sampler.js';
import type { ScopedSamples } from '../samplers/scoped-samples.js';
import type { SampledPeriod } from '../samplers/stack-sampler.js';
import type { RawFunction, StackTables } from '../samplers/stack-tables.js';
import type { Scope } from '../transactions/transaction.js';
import type { TransactionPeriod } from '../transactions/transaction-period.js';
import { ConservingRounder } from './conserving-rounder.js';
import { SampleColumns } from './sample-columns.js';

/** Samples of a transaction that was not finished yet; with their own frames, because tables live for one period. */
interface WaitingSamples {
  readonly framesRootFirst: readonly RawFunction[];
  readonly scope: Scope;
  readonly writtenIn: WrittenIn | undefined;
  readonly count: number;
  readonly wallMicros: number;
  readonly cpuMicros: number | undefined;
}

/** A hundredth of the sampler's period: what is finer says nothing of a sample, and would be half of what the server stores of it. */
export const TIME_STEP_MICROS = 100;
/** Rows that may wait; more are sent at once. */
const MAX_WAITING = 5_000;

/** Makes the columns of a batch from what was sampled, and keeps what has to wait for its labels. */
export class SamplePacker {
  readonly #wallRounder = new ConservingRounder();
  readonly #cpuRounder = new ConservingRounder();
  readonly #wallCountRounder = new ConservingRounder();
  readonly #cpuCountRounder = new ConservingRounder();
  #waiting: WaitingSamples[] = [];

  /**
   * Samples of unfinished transactions wait one period, because a route or a `tag()` may still come; then they are sent as they are. With
   * `isLast` nothing waits. Counts become whole samples, what is cut off one going to the next. Times are multiples of `TIME_STEP_MICROS`, whose rest goes to the next sample; in the last period, whole microseconds.
   *
   * @param sampled - The period after one that was the last of its kind of lines, or one of the same.
   * @param tables - The stacks of its rows; those of waiting samples are added.
   * @param lost - Gets those of which it is known what they are written in.
   */
  packTime(
    { rows, lines }: SampledPeriod,
    tables: StackTables,
    period: TransactionPeriod,
    isLast: boolean,
    lost?: LostContext,
  ): BatchProfile[] {
    const wall = new SampleColumns();
    const cpu = new SampleColumns();
    const add = (stackRow: number, { scope, writtenIn, count, wallMicros, cpuMicros }: Omit<ScopedSamples, 'stackRow'>): void => {
      const labelSet = period.rowOfScope(scope);
      if (writtenIn !== undefined) lost?.look(writtenIn, scope?.transaction, count); // its name is final now
      wall.add(stackRow, labelSet, wallMicros, count);
      if (cpuMicros !== undefined) cpu.add(stackRow, labelSet, cpuMicros, count);
    };

    for (const waited of this.#waiting) add(tables.stackRowOfFrames(waited.framesRootFirst), waited);
    const toWait = isLast ? [] : rows.filter(({ scope }) => isOpen(scope)).slice(0, MAX_WAITING);
    const frames = tables.framesRootFirst(toWait.map(({ stackRow }) => stackRow));
    this.#waiting = toWait.map(({ scope, writtenIn, count, wallMicros, cpuMicros }, at) => ({
      framesRootFirst: frames[at]!,
      scope: scope!,
      writtenIn,
      count,
      wallMicros,
      cpuMicros,
    }));
    const waits = new Set(toWait);
    for (const row of rows) if (!waits.has(row)) add(row.stackRow, row);

    const step = isLast ? 1 : TIME_STEP_MICROS;
    return [
      cpu.toProfile(
        PROFILE_TYPE_IDS.cpu,
        (micros) => this.#cpuRounder.round(micros, step),
        lines,
        (count) => this.#cpuCountRounder.round(count),
      ),
      wall.toProfile(
        PROFILE_TYPE_IDS.wall,
        (micros) => this.#wallRounder.round(micros, step),
        lines,
        (count) => this.#wallCountRounder.round(count),
      ),
    ];
  }
}

/** Samples of the heap carry no labels. */
export function packMemory(
  rows: readonly MemoryRow[],
  measures: MemorySampler['measures'],
  period: TransactionPeriod,
): BatchProfile[] {
  const space = new SampleColumns();
  const objects = new SampleColumns();
  const labelSet = period.rowOfScope(undefined);
  for (const row of rows) {
    space.add(row.stackRow, labelSet, row.bytes, row.count);
    objects.add(row.stackRow, labelSet, row.count, row.count);
  }
  if (measures === 'allocations') return [space.toProfile(PROFILE_TYPE_IDS.alloc_space, Math.round)];
  return [
    space.toProfile(PROFILE_TYPE_IDS.inuse_space, Math.round),
    objects.toProfile(PROFILE_TYPE_IDS.inuse_objects, Math.round),
  ];
}

/** Its name or labels may still come, and nothing of it has been sent without them. */
function isOpen(scope: Scope | undefined): boolean {
  const transaction = scope?.transaction;
  return transaction !== undefined && transaction.outcome === undefined && transaction.sentAs === undefined;
}
